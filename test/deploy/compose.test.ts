import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { SETTINGS } from '../../src/ops/settings.js';
import { readText } from '../house/sources.js';

type Service = {
  readonly image: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly healthcheck?: object;
  readonly mem_limit?: string;
  readonly read_only?: boolean;
  readonly restart?: string;
  readonly stop_grace_period?: string;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
};

const text = readText('docker-compose.yml');
const example = readText('.env.example');
const { services } = parse(text) as { services: Readonly<Record<string, Service>> };
const known = new Map(Object.values(SETTINGS).map((setting) => [setting.name as string, setting]));

/** Variables of the file with what they are where nobody sets them. */
const variables = new Map(
  [...text.matchAll(/\$\{([A-Z_]+):-([^}]*)\}/g)].map(([, name = '', value = '']) => [name, value]),
);

describe('docker-compose.yml', () => {
  test('sets what a node knows, and holds no secret', () => {
    const environment = Object.entries(services.skein?.environment ?? {});
    expect(environment.map(([name]) => name).filter((name) => !known.has(name))).toEqual([]);
    const secrets = environment.filter(([name]) => known.get(name)?.secret && name !== 'REDIS_URL');
    expect(secrets.length).toBeGreaterThan(0);
    for (const [name, value] of secrets) expect(value).toBe(`\${${name}:-}`);
    expect(variables.get('REDIS_URL')).not.toContain('@');
  });

  test('lets nobody in from another machine unless it is told to', () => {
    const ports = Object.values(services).flatMap(({ ports: published = [] }) => published);
    expect(ports.length).toBe(3);
    const unset = ports.map((port) => port.replace(/\$\{[A-Z_]+:-([^}]*)\}/g, '$1'));
    expect(unset.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });

  test('gives a node longer to leave than it takes', () => {
    const grace = Number.parseInt(variables.get('STOP_GRACE_PERIOD') ?? '', 10);
    expect(grace).toBeGreaterThanOrEqual(Number(variables.get('SKEIN_DRAIN_SECONDS')) + 5);
  });

  test.each(Object.entries(services))(
    'bounds %s, starts it again, and lets it write where it must only',
    (_, service) => {
      expect(service).toMatchObject({ restart: 'unless-stopped', read_only: true });
      expect(service.mem_limit).toBeDefined();
      const conditions = Object.values(service.depends_on ?? {}).map(({ condition }) => condition);
      expect(conditions.filter((condition) => condition !== 'service_healthy')).toEqual([]);
    },
  );

  test('is described by .env.example, variable by variable, with the same defaults', () => {
    const named = new Map(
      [...example.matchAll(/^# ([A-Z_]+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
    );
    expect([...named.keys()].sort()).toEqual([...variables.keys()].sort());
    // What turns open mode off, and what has no default, is shown by example.
    const byExample = ['SKEIN_AUTH', 'SKEIN_ALLOW_OPEN', 'REDIS_URL'];
    const others = [...variables].filter(([name, value]) => value !== '' && !byExample.includes(name));
    expect(others.filter(([name, value]) => named.get(name) !== value)).toEqual([]);
  });
});

test('the Redis that comes along is one that a node has nothing to say against', () => {
  const settings = readText('deploy/redis/redis.conf');
  for (const line of ['appendonly yes', 'appendfsync always', 'maxmemory-policy noeviction']) {
    expect(settings).toContain(`\n${line}\n`);
  }
});
