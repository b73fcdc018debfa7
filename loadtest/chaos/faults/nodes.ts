/** What happens to nodes. */
import { pause } from '../../client/gate.js';
import type { Fault } from './fault.js';

const freezing = (about: string, seconds: number): Fault => ({
  about,
  victim: 'node',
  seconds: [seconds, seconds],
  prepare({ site }, random) {
    const node = random.pick(site.nodes);
    return {
      what: `${node.name} stands still`,
      async inflict(ms) {
        node.freezes();
        await pause(ms);
        node.thaws();
      },
    };
  },
});

export const NODE_FAULTS = {
  'kill-node': {
    about: 'a node is killed with -9, and started again',
    victim: 'node',
    seconds: [0.2, 3],
    prepare({ site }, random) {
      const node = random.pick(site.nodes);
      return {
        what: `${node.name} is killed`,
        async inflict(ms) {
          await node.kill();
          await pause(ms);
          await node.start();
        },
      };
    },
  },
  'stop-node': {
    about: 'a node gets SIGTERM, leaves with 0, and is started again',
    victim: 'node',
    seconds: [0.1, 1],
    prepare({ site, isCalm }, random) {
      const node = random.pick(site.nodes);
      return {
        what: `${node.name} is asked to leave`,
        async inflict(ms) {
          const wasCalm = isCalm();
          const { code, signal } = await node.leave();
          // 1 says that something could not be done in time, as when Redis is away.
          if (code !== 0 && (code !== 1 || (wasCalm && isCalm())))
            site.crashes.push(`${node.name} left with ${code ?? signal}: ${node.lastWords}`);
          await pause(ms);
          await node.start();
        },
      };
    },
  },
  'freeze-node': freezing('a node stands still (SIGSTOP) for 8 s', 8),
  'freeze-node-long': freezing('a node stands still for 11 s, longer than its lease', 11),
} as const satisfies Readonly<Record<string, Fault>>;
