/** What happens to clients. */
import { pause } from '../../client/gate.js';
import type { Client } from '../client/client.js';
import type { Fault } from './fault.js';

/** Of the flood that fills up the buffers on the way to slow readers. */
const FLOOD = { rate: 150, bytes: 8_000 };
const SIP = { everyMs: 500, forMs: 10 };

async function sip(clients: readonly Client[], ms: number): Promise<void> {
  const end = performance.now() + ms;
  while (performance.now() < end) {
    for (const client of clients) client.resumes();
    await pause(SIP.forMs);
    for (const client of clients) client.pauses();
    await pause(SIP.everyMs);
  }
}

export const CLIENT_FAULTS = {
  'slow-readers': {
    about:
      'some clients stop reading, or read in sips, in a room that is flooded; then half of them lose the connection',
    victim: 'clients',
    seconds: [5, 10],
    prepare({ crowd }, random) {
      const slow = [...new Set([...crowd.drinkers, ...random.some(crowd.clients.slice(2), 5)])];
      const sipping = random.some(slow, Math.ceil(slow.length / 2));
      return {
        what: `${slow.length - sipping.length} clients read nothing, ${sipping.length} next to nothing`,
        async inflict(ms) {
          for (const client of slow) client.pauses();
          await Promise.all([crowd.floodsWell(ms, FLOOD.rate, FLOOD.bytes), sip(sipping, ms)]);
          for (const client of slow) {
            // What was written to it and never read is gone with the connection.
            if (random.chance(0.5)) client.loses();
            client.resumes();
          }
        },
      };
    },
  },
  'drop-clients': {
    about: 'a third of the clients lose their connection, twice',
    victim: 'clients',
    seconds: [0.5, 2],
    prepare: ({ crowd }, random) => ({
      what: 'a third of the clients lose their connection',
      async inflict(ms) {
        for (const client of random.some(crowd.clients, Math.ceil(crowd.clients.length / 3))) client.loses();
        await pause(ms);
        for (const client of random.some(crowd.clients, Math.ceil(crowd.clients.length / 3))) client.loses();
      },
    }),
  },
  'leave-and-return': {
    about: 'a quarter of the clients are away for a while',
    victim: 'clients',
    seconds: [3, 8],
    prepare({ crowd }, random) {
      const away = random.some(crowd.clients, Math.ceil(crowd.clients.length / 4));
      return {
        what: `${away.length} clients are away`,
        async inflict(ms) {
          for (const client of away) client.leaves();
          await pause(ms);
          for (const client of away) client.returns();
        },
      };
    },
  },
  storm: {
    about: 'clients by the thousand lose their connection at once and come back, each with a letter waiting',
    victim: 'clients',
    seconds: [10, 10],
    prepare: ({ storm }) => ({
      what: `${storm.size} more clients come, are thrown out, and come back`,
      async inflict() {
        await storm.rages();
        storm.leaves();
      },
    }),
  },
} as const satisfies Readonly<Record<string, Fault>>;
