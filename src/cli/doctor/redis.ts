/** Redis, as the store of messages that must not be lost. */
import { type Examination, type Examined, examine } from '../../redis/examine.js';
import { type Check, clockCheck, fail, ok, warn } from './check.js';

const VERSION_LEAST = 7;
const MEGABYTE = 1_048_576;
const PUBSUB_LEAST = 32 * MEGABYTE;
const CLIENTS_LEAST = 1_000;
/** Milliseconds for a PING: sends wait for it, several times. */
const PING_GOOD = 50;
const SHARE_WARN = 0.8;

type Whereabouts = Omit<Examination, 'url'> & { readonly url: string | undefined };

export async function checkRedis({ url, ...how }: Whereabouts): Promise<readonly Check[]> {
  if (url === undefined) {
    const found = 'not looked at: REDIS_URL is not set';
    return [
      warn('redis', found, 'Set REDIS_URL as the nodes have it. A node without Redis keeps nothing when it stops.'),
    ];
  }
  try {
    return judge(await examine({ url, ...how }));
  } catch (error) {
    const found = `no answer: ${error instanceof Error ? error.message : error}`;
    return [fail('redis', found, adviceFor(found))];
  }
}

function adviceFor(reason: string): string {
  if (/WRONGPASS|NOAUTH|NOPERM/.test(reason)) return 'Check user, password and ACL in REDIS_URL.';
  if (/ENOTFOUND|EAI_AGAIN/.test(reason)) return 'The host in REDIS_URL has no address: check the name.';
  return 'Is it running, and reachable from here? "redis-cli -u $REDIS_URL ping" should say PONG.';
}

export function judge(found: Examined): readonly Check[] {
  const { info, config, ping, skew, shown, strangeSchema } = found;
  const reached = `${shown} answers in ${ping} ms`;
  const slow = 'Put it nearer to the nodes, and see "redis-cli --latency" and SLOWLOG GET.';
  const checks = [
    ping > PING_GOOD ? warn('redis', reached, slow) : ok('redis', reached),
    versionCheck(info),
    roleCheck(info),
    // Half the way there and back is not known.
    clockCheck('redis clock', skew, ping / 2 + 1),
    memoryCheck(info),
    healthCheck(info),
  ];
  if (strangeSchema !== undefined) {
    const advice = 'Use the version of Skein that wrote it, or another SKEIN_REDIS_PREFIX.';
    checks.push(fail('redis data', `schema ${strangeSchema} under this prefix is not known`, advice));
  }
  return [...checks, ...(config === undefined ? [forbidden] : configChecks(config, info))];
}

const forbidden = warn(
  'redis settings',
  'CONFIG is forbidden here',
  'Look in the provider’s console: maxmemory-policy noeviction, appendonly yes, appendfsync always.',
);

function versionCheck(info: Examined['info']): Check {
  const version = info.get('redis_version') ?? 'unknown';
  const isOld = !(Number.parseInt(version, 10) >= VERSION_LEAST);
  return isOld ? fail('redis version', version, 'Install Redis 7.0 or later.') : ok('redis version', version);
}

function roleCheck(info: Examined['info']): Check {
  if (info.get('cluster_enabled') === '1') {
    return fail('redis role', 'a Cluster node', 'Use one server, or one with replicas behind Sentinel.');
  }
  if (info.get('role') === 'master') return ok('redis role', `primary, ${info.get('connected_slaves') ?? 0} replicas`);
  return fail('redis role', 'a replica', 'Nothing can be written to it: give the primary, or redis+sentinel://.');
}

function memoryCheck(info: Examined['info']): Check {
  const [used, max] = [Number(info.get('used_memory')), Number(info.get('maxmemory'))];
  const found = `${megabytes(used)} used of ${max > 0 ? megabytes(max) : 'no bound (maxmemory 0)'}`;
  if (max === 0)
    return warn('redis memory', found, 'Set maxmemory to half the machine’s, or the kernel ends it first.');
  if (used < max * SHARE_WARN) return ok('redis memory', found);
  const advice = 'New messages are refused when it is full. Raise maxmemory, or lower SKEIN_RETENTION_MESSAGES.';
  return used >= max ? fail('redis memory', found, advice) : warn('redis memory', found, advice);
}

const megabytes = (bytes: number): string => `${Math.round(bytes / MEGABYTE)} MB`;

function healthCheck(info: Examined['info']): Check {
  const broken = ['aof_last_write_status', 'aof_last_bgrewrite_status', 'rdb_last_bgsave_status'].filter(
    (field) => (info.get(field) ?? 'ok') !== 'ok',
  );
  if (info.get('loading') === '1') return fail('redis disk', 'loading its data', 'Wait: it answers when it is done.');
  if (broken.length === 0) return ok('redis disk', 'the last writes went well');
  return fail('redis disk', broken.join(', '), 'Is the disk full or read-only? The log of Redis says what failed.');
}

function configChecks(config: ReadonlyMap<string, string>, info: Examined['info']): readonly Check[] {
  return [
    evictionCheck(config),
    persistenceCheck(config),
    pubsubCheck(config),
    clientsCheck(config, info),
    idleCheck(config),
  ];
}

function evictionCheck(config: ReadonlyMap<string, string>): Check {
  const policy = config.get('maxmemory-policy') ?? 'unknown';
  if (policy === 'noeviction') return ok('redis eviction', policy);
  return fail(
    'redis eviction',
    policy,
    'Redis may delete messages. CONFIG SET maxmemory-policy noeviction, and in redis.conf.',
  );
}

function persistenceCheck(config: ReadonlyMap<string, string>): Check {
  const name = 'redis persistence';
  const sync = config.get('appendfsync') ?? 'unknown';
  if (config.get('appendonly') !== 'yes') {
    const found = 'appendonly no: a restart of Redis loses messages';
    return warn(name, found, 'CONFIG SET appendonly yes and appendfsync always, and in redis.conf.');
  }
  if (sync === 'always') return ok(name, 'appendonly yes, appendfsync always');
  const found = `appendfsync ${sync}: a crash of Redis may lose the last messages`;
  return warn(
    name,
    found,
    'CONFIG SET appendfsync always, and in redis.conf; messages are stored in batches, so it pays.',
  );
}

/** `normal 0 0 0 slave … pubsub <hard> <soft> <soft seconds>` */
function pubsubCheck(config: ReadonlyMap<string, string>): Check {
  const name = 'redis pubsub buffer';
  const limits = /\bpubsub (\d+) (\d+) (\d+)/.exec(config.get('client-output-buffer-limit') ?? '');
  const [hard = 0, soft = 0, time = 0] = (limits ?? []).slice(1).map(Number);
  const found = hard === 0 ? 'no bound' : `${megabytes(hard)}, or ${megabytes(soft)} for ${time} s`;
  if (hard === 0 || hard >= PUBSUB_LEAST) return ok(name, found);
  return warn(name, found, 'Nodes are cut off in bursts; nothing is lost, deliveries are late. Set it to 32mb 8mb 60.');
}

function clientsCheck(config: ReadonlyMap<string, string>, info: Examined['info']): Check {
  const [most, now] = [Number(config.get('maxclients')), Number(info.get('connected_clients'))];
  const found = `${now} of ${most}`;
  const advice =
    'A node needs 3 and some for its start. Raise maxclients, or find who else holds connections: CLIENT LIST.';
  return most < CLIENTS_LEAST || now > most * SHARE_WARN
    ? warn('redis clients', found, advice)
    : ok('redis clients', found);
}

function idleCheck(config: ReadonlyMap<string, string>): Check {
  const timeout = config.get('timeout') ?? '0';
  if (timeout === '0') return ok('redis timeout', 'idle connections stay');
  return warn('redis timeout', `idle connections end after ${timeout} s`, 'CONFIG SET timeout 0, and in redis.conf.');
}
