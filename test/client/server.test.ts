import { describe } from 'vitest';
import { behaves } from './behaviour.js';
import { realNode } from './support/real-node.js';

for (const transport of ['websocket', 'sse', 'poll'] as const) {
  describe(`over ${transport}, with the service itself`, () => {
    behaves(() => realNode({ SKEIN_RATE: '500', SKEIN_DRAIN_SECONDS: '1' }), transport);
  });
}
