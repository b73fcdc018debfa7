/** `skein token`: a token for a user, signed here with the issuer's key, or by the server. */
import { createPrivateKey, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import type { CommandModule } from 'yargs';
import { SETTINGS } from '../ops/settings.js';
import type { Uid } from '../protocol/index.js';
import { algorithmsOf, RSA_BITS_MIN } from '../server/algorithms.js';
import { secondsOf } from './durations.js';
import { Failure, Usage } from './ending.js';
import { writeLine } from './output.js';
import { reachingFetch, readSecret, seconds, settingOf, TIMEOUT_OPTION, URL_OPTION, uidNamed, urlOf } from './reach.js';
import { safeJson } from './text.js';

type Flags = {
  readonly user?: string | undefined;
  readonly uid?: string | undefined;
  readonly ttl: string;
  readonly broadcast?: boolean | undefined;
  readonly secretFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly kid?: string | undefined;
  readonly issuer?: string | undefined;
  readonly audience?: string | undefined;
  readonly json?: boolean | undefined;
  readonly url?: string | undefined;
  readonly timeout: number;
};

/** `expires`: milliseconds since 1970. */
type Issued = { readonly token: string; readonly expires: number };

export const tokenCommand: CommandModule<object, Flags> = {
  command: 'token [user]',
  describe: 'Make a token for a user',
  builder: (yargs) =>
    yargs
      .positional('user', { type: 'string', describe: 'Whose; the same as --uid' })
      .options({
        uid: { type: 'string', requiresArg: true, describe: 'Whose' },
        ttl: { type: 'string', default: '1h', describe: 'How long it is valid: 90s, 15m, 1h, 30d' },
        broadcast: { type: 'boolean', describe: 'With the right to write to everybody' },
        'secret-file': {
          type: 'string',
          requiresArg: true,
          describe: `Sign by HS256 with the secret in this file [${SETTINGS.jwtSecret.name}]`,
        },
        'key-file': {
          type: 'string',
          requiresArg: true,
          describe: 'Sign with this private key (PEM): RS256, ES256 or EdDSA',
        },
        kid: { type: 'string', requiresArg: true, describe: 'Name of the key, as the JWKS has it' },
        issuer: { type: 'string', requiresArg: true, describe: `iss [${SETTINGS.jwtIssuer.name}]` },
        audience: { type: 'string', requiresArg: true, describe: `aud [${SETTINGS.jwtAudience.name}]` },
        json: { type: 'boolean', describe: 'Print it as JSON, with the time when it expires' },
        ...TIMEOUT_OPTION,
        ...URL_OPTION,
      })
      .conflicts('secret-file', 'key-file')
      .example('$0 token B', 'from a server in open mode')
      .example(`${SETTINGS.jwtSecret.name}=… $0 token B --ttl 30d`, 'signed here')
      .example(`${SETTINGS.serverKey.name}=… $0 token B`, 'from the server, with its key')
      .epilogue('Signed here with --key-file, --secret-file or the secret in the environment; else by the server.'),
  async handler(flags) {
    const name = flags.user ?? flags.uid;
    if (name === undefined) throw new Usage('for whom? skein token <user>');
    const uid = uidNamed(name);
    const ttl = secondsOf(flags.ttl);
    if (!ttl) throw new Usage(`--ttl: 90s, 15m, 1h or 30d, not ${flags.ttl}`);
    const key = keyOf(flags);
    const issued = key === undefined ? await requested(uid, ttl, flags) : await signed(key, uid, ttl, flags);
    await writeLine(flags.json ? safeJson({ uid, ...issued }) : issued.token);
  },
};

/** The key to sign with; undefined: the server signs. */
function keyOf({ keyFile, secretFile }: Flags): KeyObject | undefined {
  if (keyFile !== undefined) return privateKeyIn(keyFile);
  const secret = settingOf(
    SETTINGS.jwtSecret,
    '--secret-file',
    secretFile === undefined ? undefined : readSecret(secretFile, '--secret-file'),
  );
  return secret === undefined ? undefined : createSecretKey(secret, 'utf8');
}

function privateKeyIn(path: string): KeyObject {
  const pem = readSecret(path, '--key-file');
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (error) {
    throw new Usage(`--key-file: no private key in PEM form (${error instanceof Error ? error.message : error})`);
  }
  if (algorithmsOf(key).length > 0) return key;
  throw new Usage(`--key-file: must be RSA of ${RSA_BITS_MIN} bits or more, P-256, or Ed25519`);
}

async function signed(key: KeyObject, uid: Uid, ttl: number, flags: Flags): Promise<Issued> {
  const { SignJWT } = await import('jose');
  const [alg = ''] = algorithmsOf(key);
  const now = Math.floor(Date.now() / 1_000);
  const issuer = settingOf(SETTINGS.jwtIssuer, '--issuer', flags.issuer);
  const audience = settingOf(SETTINGS.jwtAudience, '--audience', flags.audience);
  const claims = {
    sub: uid,
    jti: randomBytes(16).toString('base64url'),
    iat: now,
    exp: now + ttl,
    ...(issuer !== undefined && { iss: issuer }),
    ...(audience !== undefined && { aud: audience }),
    ...(flags.broadcast && { broadcast: true }),
  };
  const header = { alg, typ: 'JWT', ...(flags.kid !== undefined && { kid: flags.kid }) };
  return { token: await new SignJWT(claims).setProtectedHeader(header).sign(key), expires: claims.exp * 1_000 };
}

async function requested(uid: Uid, ttl: number, flags: Flags): Promise<Issued> {
  const here = ['broadcast', 'kid', 'issuer', 'audience'] as const;
  const vain = here.find((name) => flags[name] !== undefined);
  if (vain !== undefined) throw new Usage(`--${vain}: only with a key, --key-file or --secret-file`);
  const serverKey = settingOf(SETTINGS.serverKey);
  const response = await answerTo(urlOf(flags), { uid, ttl }, serverKey, seconds(flags.timeout));
  const body = (await response.json().catch(notJson)) as Partial<Issued & { error: { code: string; message: string } }>;
  if (typeof body.token === 'string' && typeof body.expires === 'number') {
    return { token: body.token, expires: body.expires };
  }
  if (response.status === 401) {
    throw new Failure(
      `the server gives tokens only for its key: set ${SETTINGS.serverKey.name}, or sign here (--key-file, --secret-file)`,
      'unauthorized',
    );
  }
  throw new Failure(body.error?.message ?? `status ${response.status}`, body.error?.code);
}

async function answerTo(url: string, body: object, key: string | undefined, within: number): Promise<Response> {
  try {
    return await reachingFetch(`${url}v1/tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(key !== undefined && { authorization: `Bearer ${key}` }) },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(within),
    });
  } catch (error) {
    throw new Failure(`no answer from ${url}: ${error instanceof Error ? error.message : error}`);
  }
}

/** A proxy's own page. */
const notJson = (): object => ({});
