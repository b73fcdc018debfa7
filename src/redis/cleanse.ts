/**
 * Redis 7 that dies while it writes a script to its append-only file leaves half of it there when it starts, and takes
 * the half for the beginning of what came next when it starts again (https://github.com/valkey-io/valkey/pull/4342).
 * A file that is written anew from memory does not have it; so that is asked for once after each start.
 */
import type { Redis } from 'ioredis';
import type { Logger } from './connect.js';
import { fieldOf } from './inspect.js';

/** A replica that takes over has been up for longer: its file is whole, and this is no time for a rewrite. */
const STARTED_SECONDS = 3_600;

export async function cleanse(client: Redis, log: Logger): Promise<void> {
  try {
    const [server, persistence] = await Promise.all([client.info('server'), client.info('persistence')]);
    const isFresh = Number(fieldOf(server, 'uptime_in_seconds')) < STARTED_SECONDS;
    const isWritten = fieldOf(persistence, 'aof_enabled') === '1';
    if (!isFresh || !isWritten || fieldOf(persistence, 'aof_rewrite_in_progress') === '1') return;
    await client.bgrewriteaof();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    log.warn({ reason }, 'the append-only file is not written anew: have redis-check-aof run before Redis starts');
  }
}
