import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { StoreLimits } from '../../src/chat/store-limits.js';
import { type Environment, helpText, loadConfig } from '../../src/ops/config.js';
import { type Config, SETTINGS } from '../../src/ops/settings.js';

const directory = mkdtempSync(join(tmpdir(), 'skein-config-'));
afterAll(() => rmSync(directory, { recursive: true }));

function configOf(env: Environment): Config {
  const loaded = loadConfig(env);
  if ('errors' in loaded) throw new Error(loaded.errors.join('\n'));
  return loaded.config;
}

function errorsOf(env: Environment): readonly string[] {
  const loaded = loadConfig(env);
  return 'errors' in loaded ? loaded.errors : [];
}

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

const KEY = 'k3y-'.repeat(8);

describe('a node that is told nothing', () => {
  test('is one embedded node on loopback in open mode', () => {
    expect(configOf({})).toMatchObject({
      redisUrl: undefined,
      host: '127.0.0.1',
      port: 9527,
      metricsHost: '127.0.0.1',
      metricsPort: 9528,
      auth: 'open',
      origins: [],
      sockets: 'auto',
    });
    expect(loadConfig({}).warnings).toEqual([]);
  });

  test('has defaults that go through their own parsers', () => {
    for (const { name, kind, fallback } of Object.values(SETTINGS)) {
      if (fallback !== undefined) expect(kind.parse(fallback), name).toHaveProperty('value');
    }
  });

  test('takes an empty variable for an absent one', () => {
    expect(configOf({ SKEIN_PORT: '', REDIS_URL: '' })).toMatchObject({ port: 9527, redisUrl: undefined });
  });
});

describe('a setting', () => {
  test('is held in milliseconds or bytes', () => {
    const config = configOf({
      SKEIN_DRAIN_SECONDS: '2.5',
      SKEIN_DEDUP_SECONDS: '300',
      SKEIN_RETENTION_DAYS: '1',
      SKEIN_PENDING_BYTES: '2048',
    });
    expect(config).toMatchObject({ drainMs: 2_500, dedupMs: 300_000, retentionMs: 86_400_000, pendingBytes: 2_048 });
  });

  test('that bounds the store has the name that the store gives it', () => {
    const limits: StoreLimits = configOf({ SKEIN_PENDING_MAX: '7' });
    expect(limits.pendingMessages).toBe(7);
  });

  test.each([
    ['SKEIN_PORT', '65536'],
    ['SKEIN_PORT', '-1'],
    ['SKEIN_PORT', '0x10'],
    ['SKEIN_PORT', ' 80'],
    ['SKEIN_PORT', '80.5'],
    ['SKEIN_RATE', '0'],
    ['SKEIN_RATE', '1e3'],
    ['SKEIN_DEDUP_SECONDS', '0'],
    ['SKEIN_DRAIN_SECONDS', 'ten'],
    ['SKEIN_AUTH', 'OPEN'],
    ['SKEIN_ALLOW_OPEN', 'true'],
    ['SKEIN_SOCKETS', 'uws,ws'],
    ['SKEIN_NODE_ID', 'a{b}'],
    ['SKEIN_REDIS_PREFIX', 'a:b'],
    ['SKEIN_HOST', 'a b'],
    ['SKEIN_ORIGINS', 'chat.example'],
    ['SKEIN_ORIGINS', 'https://chat.example/path'],
    ['SKEIN_JWT_SECRET', 'x'.repeat(31)],
    ['REDIS_URL', 'localhost:6379'],
    ['REDIS_URL', 'http://localhost:6379'],
    ['REDIS_URL', 'redis://:100%@localhost:6379'],
    ['REDIS_URL', 'redis://'],
  ])('%s may not be %j', (name, value) => {
    const errors = errorsOf({ [name]: value });
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(new RegExp(`^${name}: must be `));
  });

  test.each([
    'redis://localhost',
    'redis://user:p%40ss@10.0.0.1:6380/3',
    'rediss://cache.example:6379',
    'redis://[::1]:6379',
    'redis+sentinel://:pass@one:26379,two:26379/mymaster',
  ])('REDIS_URL may be %s', (url) => {
    expect(configOf({ REDIS_URL: url }).redisUrl).toBe(url);
  });

  test('SKEIN_JWT_SECRET is counted in bytes, not in letters', () => {
    expect(errorsOf({ SKEIN_JWT_SECRET: 'ä'.repeat(16) })).toEqual([]);
  });

  test('SKEIN_ORIGINS is compared as browsers write origins', () => {
    const { origins } = configOf({ SKEIN_ORIGINS: 'HTTPS://Chat.Example:443, http://[::1]:8080,app://Main' });
    expect(origins).toEqual(['https://chat.example', 'http://[::1]:8080', 'app://main']);
  });
});

describe('what is wrong', () => {
  test('is told all at once', () => {
    const errors = errorsOf({ SKEIN_PORT: 'x', SKEIN_RATE: '-1', SKEIN_AUTH: 'jwt', SKEIN_SOCKETS: 'tcp' });
    expect(errors.map((error) => error.split(':')[0])).toEqual([
      'SKEIN_PORT',
      'SKEIN_RATE',
      'SKEIN_SOCKETS',
      'SKEIN_AUTH',
    ]);
  });

  test('never shows a secret', () => {
    const loaded = loadConfig({
      SKEIN_JWT_SECRET: 'too-short-but-secret',
      REDIS_URL: 'amqp://user:hunter2@host',
      SKEIN_SERVER_KEYS: 'mistyped-secret',
    });
    expect(JSON.stringify(loaded)).not.toMatch(/too-short|hunter2|mistyped-secret/);
    expect(loaded).toHaveProperty('errors.length', 2);
  });

  test('is shown shortened where it is long', () => {
    expect(errorsOf({ SKEIN_PORT: '9'.repeat(10_000) })[0]?.length).toBeLessThan(200);
  });

  test('is explained where a Kubernetes service link did it', () => {
    expect(errorsOf({ SKEIN_PORT: 'tcp://10.0.0.1:9527' })[0]).toContain('enableServiceLinks');
  });
});

describe('a name nobody knows', () => {
  test('is reported with the name that was probably meant', () => {
    expect(loadConfig({ SKEIN_RETENTION_DAY: '3', SKEIN_COLOUR_OF_THE_BIRDS: '1' }).warnings).toEqual([
      'SKEIN_COLOUR_OF_THE_BIRDS: no such setting',
      'SKEIN_RETENTION_DAY: no such setting; did you mean SKEIN_RETENTION_DAYS?',
    ]);
  });

  test('is reported beside the errors, too', () => {
    expect(loadConfig({ SKEIN_PROT: '1', SKEIN_PORT: 'x' }).warnings).toHaveLength(1);
  });
});

describe('a secret from a file', () => {
  test('loses the line end that editors add', () => {
    const path = file('jwt', `${KEY}\n`);
    expect(configOf({ SKEIN_AUTH: 'jwt', SKEIN_JWT_SECRET_FILE: path }).jwtSecret).toBe(KEY);
    expect(loadConfig({ SKEIN_JWT_SECRET_FILE: path }).warnings).toEqual([]);
  });

  test('may be the URL of Redis', () => {
    const path = file('redis', 'redis://:pass@127.0.0.1:6379');
    expect(configOf({ REDIS_URL_FILE: path }).redisUrl).toBe('redis://:pass@127.0.0.1:6379');
  });

  test('is refused if the file is missing, empty, or one of two', () => {
    expect(errorsOf({ SKEIN_SERVER_KEY_FILE: join(directory, 'nowhere') })[0]).toContain('ENOENT');
    expect(errorsOf({ SKEIN_SERVER_KEY_FILE: file('empty', '\n') })[0]).toContain('empty');
    expect(errorsOf({ SKEIN_SERVER_KEY_FILE: file('key', KEY), SKEIN_SERVER_KEY: KEY })[0]).toContain('not both');
  });
});

describe('settings that contradict each other', () => {
  test.each(['0.0.0.0', '::', '10.0.0.1', 'chat.example'])('open mode on %s is refused', (host) => {
    expect(errorsOf({ SKEIN_HOST: host })).toHaveLength(1);
    expect(errorsOf({ SKEIN_HOST: host, SKEIN_ALLOW_OPEN: '1' })).toEqual([]);
    expect(errorsOf({ SKEIN_HOST: host, SKEIN_AUTH: 'jwt', SKEIN_JWT_SECRET: KEY })).toEqual([]);
  });

  test.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost'])('open mode on %s is fine', (host) => {
    expect(errorsOf({ SKEIN_HOST: host })).toEqual([]);
  });

  test.each(['two words', 'tab\tin it', 'schlüssel', ' key'])('the server key %j is refused', (key) => {
    const errors = errorsOf({ SKEIN_SERVER_KEY: key });
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(/^SKEIN_SERVER_KEY: /);
    expect(errors[0]).not.toContain(key);
  });

  test.each([
    ['SKEIN_JWT_SECRET', KEY],
    ['SKEIN_JWT_KEY_FILE', '/keys/issuer.pem'],
    ['SKEIN_JWT_JWKS_URL', 'https://issuer.example/jwks'],
  ])('jwt mode is content with %s', (name, value) => {
    expect(errorsOf({ SKEIN_AUTH: 'jwt', [name]: value })).toEqual([]);
  });

  test('several keys for tokens are refused, for each would stand for other tokens', () => {
    const errors = errorsOf({ SKEIN_AUTH: 'jwt', SKEIN_JWT_SECRET: KEY, SKEIN_JWT_JWKS_URL: 'https://issuer.example' });
    expect(errors).toEqual(['SKEIN_JWT_SECRET, SKEIN_JWT_KEY_FILE, SKEIN_JWT_JWKS_URL: give one of them, not several']);
  });

  test.each([
    'http://issuer.example/jwks',
    'http://10.0.0.1/jwks',
    'http://127.0.0.1.issuer.example/jwks',
    'http://localhost.issuer.example/jwks',
    'http://localhost@issuer.example/jwks',
    'https://user:pass@issuer.example/jwks',
    'ftp://issuer.example/jwks',
    'issuer.example',
  ])('keys are not fetched from %s', (url) => {
    expect(errorsOf({ SKEIN_JWT_JWKS_URL: url })[0]).toMatch(/^SKEIN_JWT_JWKS_URL: must be /);
  });

  test.each([
    'https://issuer.example/a/jwks?x=1',
    'http://127.0.0.1:8080/jwks',
    'http://[::1]:80/jwks',
    'http://localhost',
  ])('keys are fetched from %s', (url) => {
    expect(configOf({ SKEIN_JWT_JWKS_URL: url }).jwtJwksUrl).toBe(url);
  });

  test('jwt mode without a key is refused', () => {
    expect(errorsOf({ SKEIN_AUTH: 'jwt' })).toEqual([
      'SKEIN_AUTH: jwt needs SKEIN_JWT_SECRET, SKEIN_JWT_KEY_FILE or SKEIN_JWT_JWKS_URL',
    ]);
  });
});

test('weak choices are accepted with a warning', () => {
  const { warnings } = loadConfig({ SKEIN_DEDUP_SECONDS: '5', SKEIN_SERVER_KEY: 'short', SKEIN_ORIGINS: '*' });
  expect(warnings.map((warning) => warning.split(':')[0])).toEqual([
    'SKEIN_DEDUP_SECONDS',
    'SKEIN_SERVER_KEY',
    'SKEIN_ORIGINS',
  ]);
});

test('two starts of one named node are two incarnations, both fit for a key', () => {
  const ids = [{ SKEIN_NODE_ID: 'blue' }, { SKEIN_NODE_ID: 'blue' }, {}].map((env) => configOf(env).nodeId);
  expect(new Set(ids).size).toBe(3);
  for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_.-]{1,64}$/);
  expect(ids[0]).toMatch(/^blue-/);
});

test('--help names every setting and its default', () => {
  const help = helpText();
  for (const { name, fallback } of Object.values(SETTINGS)) {
    expect(help).toContain(`  ${name}`);
    if (fallback !== undefined) expect(help).toContain(`default: ${fallback}\n`);
  }
});
