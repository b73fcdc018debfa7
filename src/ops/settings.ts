/**
 * Every setting, in one table: what the node reads from its environment, what `--help` prints and what
 * docs/operations.md shows. A default is written as an operator would write it and goes through the same parser.
 */
import { choice, days, flag, integer, type Kind, networks, origins, redisUrl, seconds, secret, text } from './kinds.js';

export type Setting<T> = {
  /** The environment variable. */
  readonly name: string;
  readonly kind: Kind<T>;
  readonly fallback: string | undefined;
  /** What stands in the documentation where there is no default. */
  readonly absent: string;
  readonly help: string;
  /** Never shown, and may come from the file that `<name>_FILE` names. */
  readonly secret: boolean;
};

export const given = <T>(name: string, kind: Kind<T>, fallback: string, help: string): Setting<T> => ({
  name,
  kind,
  fallback,
  absent: '',
  help,
  secret: false,
});

export const optional = <T>(name: string, kind: Kind<T>, absent: string, help: string): Setting<T | undefined> => ({
  name,
  kind,
  fallback: undefined,
  absent,
  help,
  secret: false,
});

export const hidden = <T>(name: string, kind: Kind<T>, absent: string, help: string): Setting<T | undefined> => ({
  ...optional(name, kind, absent, help),
  secret: true,
});

const host = text('an address or a host name', /^[A-Za-z0-9:][A-Za-z0-9.:_-]{0,252}$/);
const shortName = text('1 to 48 of `A-Z a-z 0-9 _ . -`', /^[A-Za-z0-9_.-]{1,48}$/);
const claim = text('text', /^\P{Cc}{1,512}$/u);
const path = text('the path of a PEM file', /^\P{Cc}{1,1024}$/u);
/** Who can change what comes over plain http can be anybody, so that is for this machine only. */
const jwksUrl = text(
  'a URL, `https://`, or `http://` to loopback',
  /^(?:https:\/\/[^\s@#/?]+|http:\/\/(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?)(?:[/?][^\s#]*)?$/i,
);
const MANY = 1_000_000_000;

export const SETTINGS = {
  redisUrl: hidden(
    'REDIS_URL',
    redisUrl,
    'none: embedded',
    'The Redis (7.0 or later) that makes this node one of many. Without it the node keeps everything in memory, is the only one, and forgets at its end.',
  ),
  host: given('SKEIN_HOST', host, '127.0.0.1', 'Address that clients connect to.'),
  port: given(
    'SKEIN_PORT',
    integer(0, 65_535),
    '9527',
    'Port for WebSocket, HTTP and the page; `0` takes any free one.',
  ),
  tlsCert: optional(
    'SKEIN_TLS_CERT',
    path,
    'none: plain HTTP',
    'Certificate, with those between it and its authority, that the node ends TLS with itself. Read at the start.',
  ),
  tlsKey: optional('SKEIN_TLS_KEY', path, 'none', 'The private key of `SKEIN_TLS_CERT`, without a passphrase.'),
  metricsHost: optional(
    'SKEIN_METRICS_HOST',
    host,
    'as `SKEIN_HOST`',
    'Address of `/metrics`; keep it off the public network.',
  ),
  metricsPort: given(
    'SKEIN_METRICS_PORT',
    integer(0, 65_535),
    '9528',
    'Port of `/metrics`, `/healthz` and `/readyz`; `0` takes any free one.',
  ),
  auth: given(
    'SKEIN_AUTH',
    choice('open', 'jwt'),
    'open',
    'Who may be whom: `open` believes every `?uid=`, `jwt` asks for a signed token.',
  ),
  allowOpen: given('SKEIN_ALLOW_OPEN', flag, '0', 'Allows open mode on an address other than loopback.'),
  jwtSecret: hidden('SKEIN_JWT_SECRET', secret(32), 'none', 'Key that HS256 tokens are signed with.'),
  jwtKeyFile: optional(
    'SKEIN_JWT_KEY_FILE',
    path,
    'none',
    'Public key that tokens are verified with: RSA of 2048 bits or more (RS256), P-256 (ES256) or Ed25519 (EdDSA). Read at the start.',
  ),
  jwtJwksUrl: optional(
    'SKEIN_JWT_JWKS_URL',
    jwksUrl,
    'none',
    'Where the issuer publishes such keys. They are fetched when tokens need them, so a rotation needs no restart.',
  ),
  jwtIssuer: optional('SKEIN_JWT_ISSUER', claim, 'any', 'The only `iss` that a token may have.'),
  jwtAudience: optional('SKEIN_JWT_AUDIENCE', claim, 'any', 'The `aud` that a token must name.'),
  serverKey: hidden(
    'SKEIN_SERVER_KEY',
    secret(1),
    'none: no server API',
    'Bearer key of `/v1/server/*` and of `POST /v1/tokens`. Choose 32 random bytes or more.',
  ),
  origins: optional(
    'SKEIN_ORIGINS',
    origins,
    'the own host only',
    'Further origins whose pages may connect. `*`: any, which in open mode lets every web page in.',
  ),
  maxFrame: given(
    'SKEIN_MAX_FRAME',
    integer(1_024, 1_048_576),
    '65536',
    'Bytes of the largest frame or HTTP body; `limits.frame` in `welcome`.',
  ),
  rate: given(
    'SKEIN_RATE',
    integer(1, 1_000_000),
    '200',
    'Sends, queries and `typing` a second a connection; `ack`, `read` and `ping` have ten times as many.',
  ),
  rateBytes: optional(
    'SKEIN_RATE_BYTES',
    integer(1_024, MANY),
    'half of what `SKEIN_RATE` frames of `SKEIN_MAX_FRAME` are',
    'Bytes a second that a connection may send in frames, a user in bodies over HTTP; the largest one is always allowed.',
  ),
  queries: given(
    'SKEIN_QUERIES',
    integer(1, 10_000),
    '32',
    'Requests of a connection that may be in hand at once, pages of history and the like; sends don’t count.',
  ),
  trustedProxies: optional(
    'SKEIN_TRUSTED_PROXIES',
    networks,
    'none',
    'Proxies that are believed what `X-Forwarded-For` says. Without it, limits by address leave private addresses alone.',
  ),
  addressSockets: given(
    'SKEIN_ADDRESS_SOCKETS',
    integer(1, MANY),
    '2000',
    'Connections of one address (of a /64 in IPv6) to one node: sockets, streams, and requests in hand.',
  ),
  addressLogins: given(
    'SKEIN_ADDRESS_LOGINS',
    integer(1, 1_000_000),
    '100',
    'Log-ins a second of one address, ten seconds’ worth saved up; one with bad credentials costs as much as ten.',
  ),
  userSockets: given('SKEIN_USER_SOCKETS', integer(1, 10_000), '64', 'Connections of one user to one node.'),
  userRooms: given(
    'SKEIN_USER_ROOMS',
    integer(1, 100_000),
    '1000',
    'Rooms of one user; each is looked at when they log in.',
  ),
  roomMembers: given('SKEIN_ROOM_MEMBERS', integer(1, 1_000_000), '100000', 'Members of one room.'),
  devices: given('SKEIN_DEVICES', integer(1, 1_000), '32', 'Devices of a user that are remembered, the newest ones.'),
  deviceMs: given('SKEIN_DEVICE_DAYS', days(0.0001, 3_650), '30', 'Time unseen after which a device is forgotten.'),
  pendingMessages: given(
    'SKEIN_PENDING_MAX',
    integer(1, 1_000_000),
    '10000',
    'Direct messages that one conversation holds for a receiver who is away; the next is `box_full`.',
  ),
  pendingBytes: given('SKEIN_PENDING_BYTES', integer(1_024, MANY), '4194304', 'The same in bytes.'),
  pendingMs: given(
    'SKEIN_PENDING_DAYS',
    days(0.0001, 3_650),
    '30',
    'How long pending direct messages wait for their receiver, at least.',
  ),
  strangerMessages: given(
    'SKEIN_STRANGER_MESSAGES',
    integer(1, 1_000_000),
    '100',
    'Pending messages from one sender to a uid that has never been seen.',
  ),
  strangers: given(
    'SKEIN_STRANGERS',
    integer(1, 1_000_000),
    '1000',
    'Uids never seen that one sender may have written to.',
  ),
  conversations: given(
    'SKEIN_CONVERSATIONS',
    integer(1, 10_000_000),
    '10000',
    'Direct conversations that one user has, on whichever side; the first message of a further one is `box_full`.',
  ),
  retentionMessages: given(
    'SKEIN_RETENTION_MESSAGES',
    integer(1, 10_000_000),
    '10000',
    'Messages that a conversation keeps beyond what is pending.',
  ),
  retentionMs: given(
    'SKEIN_RETENTION_DAYS',
    days(0.0001, 3_650),
    '30',
    'Idle time after which the log of a conversation expires; never before `SKEIN_PENDING_DAYS`.',
  ),
  dedupMs: given(
    'SKEIN_DEDUP_SECONDS',
    seconds(1, 86_400),
    '600',
    'How long a repeated `id` is recognised, at least; below 300 the protocol’s promise is not kept.',
  ),
  recallMs: given(
    'SKEIN_RECALL_SECONDS',
    seconds(0, 31_536_000),
    '120',
    'How long after sending it a message can be withdrawn.',
  ),
  drainMs: given('SKEIN_DRAIN_SECONDS', seconds(0, 3_600), '10', 'Most time between SIGTERM and the end.'),
  nodeId: optional(
    'SKEIN_NODE_ID',
    shortName,
    'host name and process id',
    'Name of this node; every start adds a random part, so no two incarnations are the same.',
  ),
  sockets: given(
    'SKEIN_SOCKETS',
    choice('auto', 'uws', 'ws'),
    'auto',
    'Socket library: uWebSockets.js, `ws`, or the first of them that loads.',
  ),
  redisCa: optional(
    'SKEIN_REDIS_CA',
    path,
    'the authorities that Node.js knows',
    'Certificate of the authority that Redis’s own comes from, where `REDIS_URL` begins with `rediss://`.',
  ),
  redisPrefix: given('SKEIN_REDIS_PREFIX', shortName, 'sk', 'Begins every key and channel in Redis.'),
  durability: given(
    'SKEIN_DURABILITY',
    choice('fast', 'safe', 'strict'),
    'safe',
    'What must have a message before it counts as stored: `fast` a Redis that may forget its last second, `safe` its disk, `strict` a replica, too.',
  ),
  ringMb: given(
    'SKEIN_RING_MB',
    integer(0, 4_096),
    '64',
    'MB of what was stored last that a node keeps, for ten seconds, to put back after a failover; `0` keeps nothing.',
  ),
  allowWeakRedis: given(
    'SKEIN_ALLOW_WEAK_REDIS',
    flag,
    '0',
    'Starts on a Redis whose eviction policy may delete messages.',
  ),
  logLevel: given(
    'SKEIN_LOG_LEVEL',
    choice('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    'info',
    'The least level that is logged.',
  ),
} as const satisfies Readonly<Record<string, Setting<unknown>>>;

type Values = { readonly [K in keyof typeof SETTINGS]: (typeof SETTINGS)[K] extends Setting<infer T> ? T : never };

/**
 * What a node was told, as plain data: times in milliseconds, sizes in bytes. `nodeId` is unique for this start,
 * what may be left out is filled in.
 */
export type Config = Omit<Values, 'nodeId' | 'metricsHost' | 'origins' | 'trustedProxies'> & {
  readonly nodeId: string;
  readonly metricsHost: string;
  readonly origins: readonly string[];
  readonly trustedProxies: NonNullable<Values['trustedProxies']>;
};
