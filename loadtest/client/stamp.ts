/**
 * What every message of a run carries at the beginning of its data, so that whoever receives it knows all there is to
 * know without parsing:
 *
 *     ~ 001 100000042 1000123456     (without the spaces)
 *       channel   n       time at which it was due, microseconds since the run's epoch
 *
 * A channel is one sender's way to all its receivers; n counts from 1 on each.
 */

const MARK = 0x7e;
const ZERO = 0x30;
const CHANNEL_BASE = 1_000;
const N_BASE = 100_000_000;
const TIME_BASE = 1_000_000_000;
const CHANNEL_AT = 1;
const N_AT = CHANNEL_AT + 3;
const TIME_AT = N_AT + 9;

export const STAMP_LENGTH = TIME_AT + 10;
export const CHANNELS_MAX = CHANNEL_BASE;

/** A number of a message as it is written, always nine digits. */
export const digitsOf = (n: number): string => `${N_BASE + n}`;

export const stampOf = (channel: number, digits: string, micros: number): string =>
  `~${`${CHANNEL_BASE + channel}`.slice(1)}${digits}${TIME_BASE + Math.max(0, Math.round(micros))}`;

/** Where the next stamp of a frame begins, or -1. The mark occurs in no name and nowhere else in a frame. */
export function stampAt(bytes: Buffer, from: number, end: number): number {
  const at = bytes.indexOf(MARK, from);
  return at >= 0 && at + STAMP_LENGTH <= end ? at : -1;
}

export const channelOf = (bytes: Buffer, at: number): number => numberAt(bytes, at + CHANNEL_AT, 3);
export const nOf = (bytes: Buffer, at: number): number => numberAt(bytes, at + N_AT, 9) - N_BASE;
export const timeOf = (bytes: Buffer, at: number): number => numberAt(bytes, at + TIME_AT, 10) - TIME_BASE;

/** The number of a message in the nine digits at `at`. */
export const idAt = (bytes: Buffer, at: number): number => numberAt(bytes, at, 9) - N_BASE;

function numberAt(bytes: Buffer, at: number, digits: number): number {
  let value = 0;
  for (let i = at; i < at + digits; i++) value = value * 10 + (bytes[i]! - ZERO);
  return value;
}
