import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { CLI_SETTINGS } from './cli-settings.js';
import { nearest } from './nearest.js';
import { type Config, SETTINGS, type Setting } from './settings.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Either a configuration, or everything that is wrong at once. No secret stands in errors or warnings. */
export type Loaded =
  | { readonly config: Config; readonly warnings: readonly string[] }
  | { readonly errors: readonly string[]; readonly warnings: readonly string[] };

const DEDUP_PROMISED_MS = 300_000;
const SERVER_KEY_BYTES = 32;
const SHOWN_MAX = 60;

const settings: readonly (readonly [string, Setting<unknown>])[] = Object.entries(SETTINGS);

/** Reads the settings from an environment; an empty variable counts as absent. */
export function loadConfig(env: Environment = process.env): Loaded {
  const errors: string[] = [];
  const values = new Map<string, unknown>();
  for (const [key, setting] of settings) {
    const read = readSetting(setting, env);
    if ('error' in read) errors.push(read.error);
    else values.set(key, read.value);
  }
  const warnings = unknownNames(env);
  // The table's type says what each parser gives, so the values it gave make a Config once nothing was wrong.
  const config = finish(Object.fromEntries(values) as Config);
  errors.push(...contradictions(config, errors));
  if (errors.length > 0) return { errors, warnings };
  return { config, warnings: [...warnings, ...weaknesses(config)] };
}

/** One setting by itself: its value, undefined where it is absent and has no default, or what is wrong with it. */
export function readSetting<T>(
  setting: Setting<T>,
  env: Environment = process.env,
): { readonly value: T | undefined } | { readonly error: string } {
  const found = textOf(setting, env);
  if ('error' in found) return found;
  if (found.text === undefined) return { value: undefined };
  const parsed = setting.kind.parse(found.text);
  return 'value' in parsed ? parsed : { error: complaint(setting, found.text) };
}

function finish(values: Config): Config {
  return {
    ...values,
    nodeId: incarnation(values.nodeId),
    metricsHost: values.metricsHost ?? values.host,
    origins: values.origins ?? [],
    trustedProxies: values.trustedProxies ?? [],
  };
}

function incarnation(name: string | undefined): string {
  const host = hostname()
    .replace(/[^A-Za-z0-9_.-]/g, '-')
    .slice(0, 32);
  return `${name ?? `${host}-${process.pid}`}-${randomBytes(6).toString('hex')}`;
}

type Found = { readonly text: string | undefined } | { readonly error: string };

function textOf(setting: Setting<unknown>, env: Environment): Found {
  const direct = env[setting.name] || undefined;
  const file = setting.secret ? env[`${setting.name}_FILE`] || undefined : undefined;
  if (file === undefined) return { text: direct ?? setting.fallback };
  if (direct !== undefined) return { error: `${setting.name} and ${setting.name}_FILE: give one of them, not both` };
  try {
    const text = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    return text === '' ? { error: `${setting.name}_FILE: the file is empty` } : { text };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    return { error: `${setting.name}_FILE: the file cannot be read (${code})` };
  }
}

function complaint(setting: Setting<unknown>, text: string): string {
  const must = `must be ${plain(setting.kind.form)}`;
  if (setting.secret) return `${setting.name}: ${must}`;
  const shown = JSON.stringify(text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text);
  // Kubernetes gives every pod such variables for each service, and a service named "skein" meets ours.
  const hint = /^tcp:\/\//.test(text) ? '; a Kubernetes service link set it: use enableServiceLinks: false' : '';
  return `${setting.name}: ${must}, not ${shown}${hint}`;
}

function contradictions(config: Config, errors: readonly string[]): string[] {
  const isWrong = (name: string) => errors.some((error) => error.startsWith(name));
  const found: string[] = [];
  const keys = [SETTINGS.jwtSecret, SETTINGS.jwtKeyFile, SETTINGS.jwtJwksUrl].map(({ name }) => name);
  const given = [config.jwtSecret, config.jwtKeyFile, config.jwtJwksUrl].filter((value) => value !== undefined);
  if (config.auth === 'jwt' && given.length === 0 && !keys.some(isWrong)) {
    found.push(`SKEIN_AUTH: jwt needs ${keys[0]}, ${keys[1]} or ${keys[2]}`);
  }
  if (given.length > 1) found.push(`${keys.join(', ')}: give one of them, not several`);
  if ((config.tlsCert === undefined) !== (config.tlsKey === undefined)) {
    found.push('SKEIN_TLS_CERT and SKEIN_TLS_KEY: give both, or none');
  }
  if (config.redisCa !== undefined && config.redisUrl !== undefined && !config.redisUrl.startsWith('rediss://')) {
    found.push('SKEIN_REDIS_CA: REDIS_URL does not begin with rediss://, so nothing would be encrypted');
  }
  if (config.serverKey !== undefined && !/^[\x21-\x7e]+$/.test(config.serverKey)) {
    found.push('SKEIN_SERVER_KEY: must be printable ASCII without spaces, or no header can carry it');
  }
  const isExposed = config.host !== undefined && !isLoopback(config.host);
  if (config.auth === 'open' && isExposed && !config.allowOpen && !isWrong(SETTINGS.allowOpen.name)) {
    found.push(
      'SKEIN_HOST: in open mode anybody who reaches this address can be anybody; set SKEIN_AUTH=jwt, or SKEIN_ALLOW_OPEN=1 if that is meant',
    );
  }
  return found;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

function weaknesses(config: Config): string[] {
  const found: string[] = [];
  if (config.dedupMs < DEDUP_PROMISED_MS) {
    found.push('SKEIN_DEDUP_SECONDS: below 300 a send repeated after a longer outage is stored twice');
  }
  if (config.serverKey !== undefined && Buffer.byteLength(config.serverKey) < SERVER_KEY_BYTES) {
    found.push(`SKEIN_SERVER_KEY: shorter than ${SERVER_KEY_BYTES} bytes, easier to guess than it should be`);
  }
  if (config.origins.includes('*') && config.auth === 'open') {
    found.push('SKEIN_ORIGINS: with * in open mode any web page can act as anybody');
  }
  return found;
}

function unknownNames(env: Environment): string[] {
  const tables: readonly Setting<unknown>[] = [...Object.values(SETTINGS), ...Object.values(CLI_SETTINGS)];
  const known = tables.flatMap(({ name, secret }) => (secret ? [name, `${name}_FILE`] : [name]));
  const unknown = Object.keys(env).filter((name) => name.startsWith('SKEIN_') && !known.includes(name));
  return unknown.sort().map((name) => {
    const close = nearest(name, known);
    return close === undefined ? `${name}: no such setting` : `${name}: no such setting; did you mean ${close}?`;
  });
}

const plain = (markdown: string): string => markdown.replaceAll('`', '');

/** What `--help` prints. */
export function helpText(): string {
  const entries = settings.map(([, { name, kind, fallback, absent, help, secret }]) => {
    const file = secret ? ` (or ${name}_FILE: a file that holds it)` : '';
    return `  ${name}${file}\n      ${plain(help)}\n      ${plain(kind.form)}; default: ${fallback ?? plain(absent)}`;
  });
  return [
    'Skein, a chat service. It is told everything by environment variables.',
    '',
    '  node dist/main.js            starts a node',
    '  node dist/main.js --help     prints this',
    '',
    'Settings:',
    ...entries,
    '',
  ].join('\n');
}
