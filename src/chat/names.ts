import { randomBytes } from 'node:crypto';
import type { ConnId } from './ports.js';

const BYTES = 9;
const DRAWN = 256;

/** Names for connections, unique for ever. Random bytes are drawn many at a time: each draw has a price of its own. */
export function createNames(): () => ConnId {
  let bytes = Buffer.alloc(0);
  let at = 0;
  return () => {
    if (at === bytes.length) {
      bytes = randomBytes(BYTES * DRAWN);
      at = 0;
    }
    at += BYTES;
    return bytes.toString('base64url', at - BYTES, at);
  };
}
