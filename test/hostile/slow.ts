import { expect } from 'vitest';
import { Connection } from '../support/client.js';
import { UNFINISHED, UNFINISHED_BODIES } from './cases.js';
import { Siege } from './siege.js';

/** One character every 300 ms must not keep a connection alive for ever. */
async function isDripped(siege: Siege): Promise<void> {
  const raw = (await siege.raw()).write('GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ');
  const drip = setInterval(() => raw.write('x'), 300);
  await raw.shows(() => raw.isClosed, 'the end of a dripping request').finally(() => clearInterval(drip));
}

/** A WebSocket that never says who it is. */
async function isNeverSaid(siege: Siege): Promise<void> {
  const line = await Connection.open(siege.node.wsUrl());
  expect((await line.closed).code).toBe(4401);
}

/** What is begun and never ended, on a node of its own. */
export async function isNotHeldUp(sockets: 'uws' | 'ws'): Promise<void> {
  const siege = await Siege.begins({ SKEIN_SOCKETS: sockets });
  try {
    const cases = sockets === 'uws' ? [...UNFINISHED, ...UNFINISHED_BODIES] : UNFINISHED;
    const ends = Promise.all([...cases.map((each) => siege.answers(each)), isDripped(siege), isNeverSaid(siege)]);
    await Promise.all([ends, siege.holds()]);
    await siege.holds();
  } finally {
    await siege.ends();
  }
}
