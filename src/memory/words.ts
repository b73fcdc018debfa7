import type { Words } from '../chat/social-ports.js';
import type { Hints } from './hints.js';

export function createWords(hints: Hints): Words {
  return {
    async toNodes(word) {
      hints.word(word);
      hints.leave();
    },
  };
}
