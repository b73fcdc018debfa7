import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';
import { passwordIn } from './kinds.js';
import type { Config } from './settings.js';

export type Log = Logger;

/** Names under which a token, a query or a body could reach a line by mistake. */
const NEVER = [
  'token',
  'authorization',
  'cookie',
  'secret',
  'password',
  'key',
  'query',
  'url',
  'body',
  'data',
  'frame',
];

const SECRET_MIN = 8;

const CREDENTIALS: readonly (readonly [RegExp, string])[] = [
  // A signed token, wherever it stands.
  [/eyJ[\w-]{4,}\.[\w-]*\.[\w-]*/g, '[token]'],
  [/\b(bearer) +[^\s"\\]+/gi, '$1 [token]'],
  [/([?&](?:token|access_token|uid)=)[^&\s"\\]*/g, '$1[hidden]'],
  // The user and password of a URL, such as Redis errors quote.
  [/(\b[a-z][a-z0-9+.-]*:\/\/)[^/@\s"\\]+@/gi, '$1[hidden]@'],
];

/**
 * JSON lines, to stdout unless told otherwise. Two nets keep secrets out: fields that carry them are cut by name, and
 * each finished line loses the node's own secrets and whatever looks like a credential.
 */
export function createLog(
  config: Pick<Config, 'logLevel' | 'nodeId' | 'jwtSecret' | 'serverKey' | 'redisUrl'>,
  destination: DestinationStream = pino.destination(1),
): Log {
  const password = passwordIn(config.redisUrl ?? '');
  const scrub = scrubber([config.jwtSecret, config.serverKey, password, decodeURIComponent(password)]);
  return pino(
    {
      level: config.logLevel,
      base: { node: config.nodeId },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: NEVER.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[hidden]' },
      hooks: { streamWrite: scrub },
    },
    destination,
  );
}

function scrubber(secrets: readonly (string | undefined)[]): (line: string) => string {
  // In a line a secret stands as JSON writes it. A shorter one would blot out ordinary words.
  const own = secrets
    .filter((secret) => secret !== undefined && secret.length >= SECRET_MIN)
    .map((secret) => JSON.stringify(secret).slice(1, -1));
  return (line) => {
    let clean = line;
    for (const secret of own) clean = clean.replaceAll(secret, '[hidden]');
    for (const [pattern, replacement] of CREDENTIALS) clean = clean.replace(pattern, replacement);
    return clean;
  };
}
