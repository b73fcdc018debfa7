import type { Whispers } from '../chat/ports.js';
import type { Hints } from './hints.js';

export function createWhispers(hints: Hints): Whispers {
  return {
    // There is no other node.
    async toUsers() {},

    async toRoom(conv, sender, frame) {
      hints.roomFrame(conv, sender, frame);
      hints.leave();
    },
  };
}
