/** What happens to the connections between nodes and Redis. */
import { pause } from '../../client/gate.js';
import type { Fault } from './fault.js';

const LOST_PART = 0.3;
const CUT_PART = 0.5;

export const LINK_FAULTS = {
  'cut-links': {
    about: 'single TCP connections between nodes and Redis are cut',
    victim: 'link',
    seconds: [1, 3],
    prepare: ({ site }, random) => ({
      what: 'connections to Redis are cut',
      async inflict(ms) {
        for (let time = 0; time < 5; time++) {
          await random.pick(site.nodes).link.cuts(CUT_PART);
          await pause(ms / 5);
        }
      },
    }),
  },
  'delay-link': {
    about: 'all that goes between a node and Redis comes 20 to 300 ms later',
    victim: 'link',
    seconds: [2, 5],
    prepare({ site }, random) {
      const node = random.pick(site.nodes);
      const delay = Math.round(random.between(20, 300));
      return {
        what: `${node.name} is ${delay} ms away from Redis`,
        async inflict(ms) {
          await node.link.delays(delay);
          await pause(ms);
          await node.link.heals();
        },
      };
    },
  },
  'mute-link': {
    about: 'nothing passes between a node and Redis, and no connection ends',
    victim: 'link',
    seconds: [2, 5],
    prepare({ site }, random) {
      const node = random.pick(site.nodes);
      return {
        what: `nothing passes between ${node.name} and Redis`,
        async inflict(ms) {
          await node.link.blackholes();
          await pause(ms);
          await node.link.heals();
        },
      };
    },
  },
  'lose-answers': {
    about: 'Redis does what a node asks, and its answers are lost',
    victim: 'link',
    seconds: [1, 4],
    prepare({ site }, random) {
      const node = random.pick(site.nodes);
      return {
        what: `the answers of Redis to ${node.name} are lost`,
        async inflict(ms) {
          await node.link.swallows();
          await pause(ms);
          await node.link.heals();
        },
      };
    },
  },
  'drop-hints': {
    about: 'every third published message is lost on its way to the nodes',
    victim: 'link',
    seconds: [2, 5],
    prepare: ({ site }) => ({
      what: 'hints are dropped',
      async inflict(ms) {
        for (const { link } of site.nodes) await link.drops(LOST_PART);
        await pause(ms);
        for (const { link } of site.nodes) await link.heals();
      },
    }),
  },
  'deaf-node': {
    about: 'a subscriber hears nothing any more though its connection lives',
    victim: 'link',
    seconds: [0.1, 0.1],
    prepare({ site }, random) {
      const node = random.pick(site.nodes);
      return {
        what: `${node.name} hears no hint any more`,
        inflict: () => node.link.deafens(),
      };
    },
  },
} as const satisfies Readonly<Record<string, Fault>>;
