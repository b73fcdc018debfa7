/** What happens to Redis. */
import { pause } from '../../client/gate.js';
import type { Fault } from './fault.js';

const AWAY_BEFORE_MS = 500;
const FREEZE_SECONDS = 5;

export const REDIS_FAULTS = {
  'kill-redis': {
    about: 'Redis is killed with -9 while a third of the users are away, and started again on its data',
    victim: 'redis',
    seconds: [0.2, 2],
    prepare({ site, crowd }, random) {
      // What is stored for somebody who is away is in Redis and nowhere else.
      const away = random.some(crowd.clients, Math.ceil(crowd.clients.length / 3));
      return {
        what: `Redis is killed, ${away.length} clients being away`,
        async inflict(ms) {
          for (const client of away) client.leaves();
          await pause(AWAY_BEFORE_MS);
          await site.store.kills();
          await pause(ms);
          await site.store.starts();
          for (const client of away) client.returns();
        },
      };
    },
  },
  'freeze-redis': {
    about: 'Redis stands still (SIGSTOP) for 5 s',
    victim: 'redis',
    seconds: [FREEZE_SECONDS, FREEZE_SECONDS],
    prepare: ({ site }) => ({
      what: 'Redis stands still',
      async inflict(ms) {
        site.store.freezes();
        await pause(ms);
        site.store.thaws();
      },
    }),
  },
  'full-redis': {
    about: 'Redis is out of memory (maxmemory), and then has some again',
    victim: 'redis',
    seconds: [2, 5],
    prepare: ({ site }) => ({
      what: 'Redis has no memory left',
      async inflict(ms) {
        await site.store.asks((client) => client.config('SET', 'maxmemory', '1'));
        await pause(ms);
        await site.store.asks((client) => client.config('SET', 'maxmemory', '0'));
      },
    }),
  },
  failover: {
    about: 'the replica, which lags behind, takes over from a primary that is killed or cut off',
    victim: 'redis',
    seconds: [0.2, 2],
    needsReplica: true,
    prepare({ site, crowd }, random) {
      const lag = Math.round(random.between(0, 1_000));
      const isKilled = random.chance(0.5);
      const away = random.some(crowd.clients, Math.ceil(crowd.clients.length / 3));
      return {
        what: `the primary is ${isKilled ? 'killed' : 'cut off'}, the replica being ${lag} ms behind, and ${away.length} clients away`,
        async inflict(ms) {
          for (const client of away) client.leaves();
          await site.failsOver(lag, isKilled, ms);
          for (const client of away) client.returns();
        },
      };
    },
  },
  'flush-scripts': {
    about: 'SCRIPT FLUSH, several times',
    victim: 'redis',
    seconds: [0.5, 2],
    prepare: ({ site }) => ({
      what: 'Redis forgets its scripts',
      async inflict(ms) {
        for (let time = 0; time < 3; time++) {
          await site.store.asks((client) => client.script('FLUSH'));
          await pause(ms / 3);
        }
      },
    }),
  },
  'cut-pubsub': {
    about: 'all pub/sub connections are cut (CLIENT KILL TYPE pubsub)',
    victim: 'redis',
    seconds: [0.1, 2],
    prepare: ({ site }) => ({
      what: 'all pub/sub connections are cut, twice',
      async inflict(ms) {
        await site.store.asks((client) => client.call('CLIENT', 'KILL', 'TYPE', 'pubsub'));
        await pause(ms);
        await site.store.asks((client) => client.call('CLIENT', 'KILL', 'TYPE', 'pubsub'));
      },
    }),
  },
} as const satisfies Readonly<Record<string, Fault>>;
