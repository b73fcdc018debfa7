import { describe } from 'vitest';
import { behaves } from './behaviour.js';
import { TestNode } from './support/test-node.js';

for (const transport of ['websocket', 'sse', 'poll'] as const) {
  describe(`over ${transport}`, () => {
    behaves(() => TestNode.start(), transport);
  });
}
