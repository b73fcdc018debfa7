/** What the peers share: where they listen, their Redis, and messages as they come. */
import { Redis } from 'ioredis';

export const NODE_NAME = process.env.NODE_NAME ?? 'n1';
export const REDIS_URL = process.env.REDIS_URL;

/** Tells the rig where the server is. */
export const announce = (port: number): void => void process.stdout.write(`listening ${port}\n`);

export const connectRedis = (): Redis => new Redis(REDIS_URL ?? '');

export type Send = { readonly id: string; readonly receiver?: string; readonly room?: string; readonly data: string };

/** What a client sent, or undefined if it is not a message. */
export function readSend(frame: unknown): Send | undefined {
  if (typeof frame !== 'object' || frame === null) return undefined;
  const { id, receiver, room, data } = frame as Record<string, unknown>;
  if (typeof id !== 'string' || typeof data !== 'string') return undefined;
  if (typeof receiver === 'string') return { id, receiver, data };
  return typeof room === 'string' ? { id, room, data } : undefined;
}

process.once('SIGTERM', () => process.exit(0));
