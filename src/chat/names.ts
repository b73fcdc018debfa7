import { randomBytes } from 'node:crypto';
import type { ConnId } from './ports.js';

/** Four of base64url for three bytes. */
const LENGTH = 12;
const DRAWN = 256;

/** Names for connections, unique for ever. Made many at a time: each draw of random bytes has a price of its own. */
export function createNames(): () => ConnId {
  let drawn = '';
  let at = 0;
  return () => {
    if (at === drawn.length) {
      drawn = randomBytes((LENGTH / 4) * 3 * DRAWN).toString('base64url');
      at = 0;
    }
    at += LENGTH;
    return drawn.slice(at - LENGTH, at);
  };
}
