/** What one who floods a connection can cost the others: so much of a processor, whatever the machine does besides. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { frame } from './cases.js';
import { Siege } from './siege.js';

/**
 * Milliseconds of a processor until somebody is hung up on, some 20 to 400; and the part of one for as long as they
 * don't send fast enough for that, with what alice and bob cost meanwhile.
 */
const WORK_MAX = 1_000;
const SHARE_MAX = 0.3;
const BURST_BYTES = 400_000;
const OPCODE = { text: 1, binary: 2, ping: 9, pong: 10 } as const;

const FLOODS = [
  ['frames that are taken', frame(OPCODE.text, '{"type":"typing","receiver":"crony"}')],
  ['requests that are refused', frame(OPCODE.text, '{"type":"history","conv":"dm:alice:bob"}')],
  ['large frames', frame(OPCODE.text, `{"type":"typing","receiver":"crony","x":"${'x'.repeat(60_000)}"}`)],
  ['nonsense', frame(OPCODE.text, '{')],
  ['binary frames', frame(OPCODE.binary, 'x'.repeat(100))],
  ['pings', frame(OPCODE.ping, 'p')],
  ['pongs', frame(OPCODE.pong, 'p')],
] as const;

describe.each(['uws', 'ws'])('on %s', (sockets) => {
  let siege: Siege;
  beforeAll(async () => {
    siege = await Siege.begins({ SKEIN_SOCKETS: sockets, SKEIN_RATE: '200', SKEIN_RATE_BYTES: '500000' });
  });
  afterEach(() => siege.holds());
  afterAll(() => siege?.ends());

  test.each(FLOODS)('who floods with %s is hung up on, and has cost little', async (_what, one) => {
    const burst = Buffer.concat(Array.from({ length: Math.ceil(BURST_BYTES / one.length) }, () => one));
    const raw = await siege.handshake();
    const [before, began] = [await siege.work(), performance.now()];
    while (!raw.isClosed) {
      if (!raw.isFull) raw.write(burst);
      raw.text = '';
      await siege.holds();
      // Alice and bob have a rate, too.
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const allowed = WORK_MAX + SHARE_MAX * (performance.now() - began);
    expect((await siege.work()) - before).toBeLessThan(allowed);
  });
});
