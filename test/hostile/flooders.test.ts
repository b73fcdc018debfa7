/** What one who floods a connection can cost the others: so much of a processor, whatever the machine does besides. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Connection } from '../support/client.js';
import { until } from '../support/until.js';
import { frame } from './cases.js';
import { Siege, tokenOf } from './siege.js';

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

/** Who was hung up on is not let in again at once, so everybody floods once. */
let flooders = 0;

describe.each(['uws', 'ws'])('on %s', (sockets) => {
  let siege: Siege;
  beforeAll(async () => {
    siege = await Siege.begins({ SKEIN_SOCKETS: sockets, SKEIN_RATE: '200', SKEIN_RATE_BYTES: '500000' });
  });
  afterEach(() => siege.holds());
  afterAll(() => siege?.ends());

  test.each(FLOODS)('who floods with %s is hung up on, and has cost little', async (_what, one) => {
    const burst = Buffer.concat(Array.from({ length: Math.ceil(BURST_BYTES / one.length) }, () => one));
    const raw = await siege.handshake(`mallory${++flooders}`);
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

  test('who floods again and again waits some seconds, on whichever line; once hung up on, one may come back', async () => {
    const uid = `mallory${++flooders}`;
    const burst = Buffer.concat(
      Array.from({ length: 5_000 }, () => frame(OPCODE.text, '{"type":"typing","receiver":"crony"}')),
    );
    const floods = async (): Promise<void> => {
      const raw = await siege.handshake(uid);
      while (!raw.isClosed) {
        if (!raw.isFull) raw.write(burst);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    const comes = async (): Promise<number | undefined> => {
      const line = await Connection.open(`${siege.node.wsUrl()}?token=${tokenOf(uid)}`);
      await until(() => line.closing || line.frames.length > 0, 'a welcome or a close');
      return line.closing?.code;
    };
    await floods();
    expect(await comes()).toBeUndefined();
    await until(
      async () => {
        await floods();
        return (await comes()) === 1013;
      },
      'them not to be let in',
      15_000,
    );
    expect((await siege.calls(uid, 'GET', '/v1/messages?wait=0')).status).toBe(429);
    await until(async () => (await comes()) === undefined, 'them to be let in again', 15_000);
  });
});
