/** What a request costs: one token for each fifty things that it asks for, one at least. */
import type { Decoded, Refusal } from '../protocol/decode.js';
import { PAGE_LIMIT_DEFAULT } from '../protocol/index.js';

const THINGS_A_TOKEN = 50;

export const costOfMany = (things: number): number => Math.max(1, Math.ceil(things / THINGS_A_TOKEN));

export function costOf(frame: Decoded | Refusal): number {
  switch (frame.type) {
    case 'history':
    case 'conversations':
    case 'members':
      return costOfMany(frame.limit ?? PAGE_LIMIT_DEFAULT);
    case 'watch':
      return costOfMany(frame.uids.length);
    default:
      return 1;
  }
}
