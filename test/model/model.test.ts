import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shapesWith, townFor } from '../support/town.js';
import { Log } from './reference.js';
import { type Change, DEVICES, NAMES, World } from './world.js';

/** `MODEL_RUNS` and `MODEL_SEED` make it longer, or the same again. */
const RUNS = Number(process.env.MODEL_RUNS ?? 15);
const SEED = Number(process.env.MODEL_SEED ?? Date.now() % 1_000_000_000);
const COMMANDS_MAX = 60;

type Step = {
  readonly name: string;
  /** Whether it can be done now; what can't is left out. */
  readonly may: (world: World) => boolean;
  readonly does: (world: World) => Promise<void>;
};
type Command = fc.AsyncCommand<World, World>;

const commandOf = ({ name, may, does }: Step): Command => ({
  check: may,
  run: (_model, world) => does(world),
  toString: () => name,
});

const user = fc.nat({ max: NAMES.length - 1 });
const device = fc.nat({ max: DEVICES.length - 1 });
const node = fc.integer({ min: 1, max: 2 });
/** With each user, the room, everybody. */
const conv = fc.nat({ max: NAMES.length + 1 });
const place = fc.nat({ max: 1_000 });
const data = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.constant(null),
  fc.string({ maxLength: 4 }).map((text) => ({ text })),
);
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.constant<Change>({ op: 'recall' }),
  data.map((edited): Change => ({ op: 'edit', data: edited })),
  fc
    .record({ emoji: fc.constantFrom('👍', '🎉'), on: fc.boolean() })
    .map((react): Change => ({ op: 'react', ...react })),
);

/** Somebody at a device, who may be away then. */
const at = (world: World, u: number, d: number): ReturnType<World['line']> => world.line(u, d);
const isThereIn = (world: World, u: number, d: number, c: number): boolean =>
  at(world, u, d) !== undefined && world.reference.isIn(world.user(u), world.log(world.user(u), c));

const comes = fc.tuple(user, device, node).map(([u, d, n]) =>
  commandOf({
    name: `${NAMES[u]} comes at ${DEVICES[d]} to node ${n}`,
    may: (world) => at(world, u, d) === undefined,
    does: (world) => world.comes(u, d, n),
  }),
);
const goes = fc.tuple(user, device, fc.boolean()).map(([u, d, isOrderly]) =>
  commandOf({
    name: `${NAMES[u]} ${isOrderly ? 'leaves' : 'vanishes from'} ${DEVICES[d]}`,
    may: (world) => at(world, u, d) !== undefined,
    does: (world) => world.goes(u, d, isOrderly),
  }),
);
const sends = fc.tuple(user, device, conv, data).map(([u, d, c, said]) =>
  commandOf({
    name: `${NAMES[u]} sends ${JSON.stringify(said)} from ${DEVICES[d]} to conversation ${c}`,
    may: (world) => isThereIn(world, u, d, c),
    does: (world) => world.sends(world.user(u), world.log(world.user(u), c), said, at(world, u, d)!),
  }),
);
const posts = fc.tuple(user, node, conv, data).map(([u, n, c, said]) =>
  commandOf({
    name: `${NAMES[u]} posts ${JSON.stringify(said)} on node ${n} to conversation ${c}`,
    may: (world) => world.reference.isIn(world.user(u), world.log(world.user(u), c)) && world.user(u).isSeen,
    does: (world) => world.sends(world.user(u), world.log(world.user(u), c), said, n),
  }),
);
const repeats = fc.tuple(user, node, conv, place).map(([u, n, c, p]) =>
  commandOf({
    name: `${NAMES[u]} repeats their message ${p} of conversation ${c} on node ${n}`,
    may: (world) => world.reference.isIn(world.user(u), world.log(world.user(u), c)),
    does: (world) => world.repeats(world.user(u), world.log(world.user(u), c), p, n),
  }),
);
const amends = fc.tuple(user, device, conv, place, change).map(([u, d, c, p, what]) =>
  commandOf({
    name: `${NAMES[u]} at ${DEVICES[d]}: ${JSON.stringify(what)} of entry ${p} of conversation ${c}`,
    // Of what others said to everybody before, the reference knows nothing.
    may: (world) => isThereIn(world, u, d, c) && c <= NAMES.length,
    does: (world) => world.amends(world.user(u), world.log(world.user(u), c), p, what, at(world, u, d)!),
  }),
);
const acks = fc.tuple(user, device, conv, place).map(([u, d, c, p]) =>
  commandOf({
    name: `${NAMES[u]} at ${DEVICES[d]} acknowledges entry ${p} of conversation ${c}`,
    may: (world) => isThereIn(world, u, d, c),
    does: (world) => world.acks(at(world, u, d)!, world.log(world.user(u), c), p),
  }),
);
const reads = fc.tuple(user, device, conv, place).map(([u, d, c, p]) =>
  commandOf({
    name: `${NAMES[u]} at ${DEVICES[d]} reads entry ${p} of conversation ${c}`,
    may: (world) => isThereIn(world, u, d, c),
    does: (world) => world.reads(at(world, u, d)!, world.log(world.user(u), c), p),
  }),
);
const moves = fc.tuple(user, device, fc.boolean()).map(([u, d, isJoining]) =>
  commandOf({
    name: `${NAMES[u]} ${isJoining ? 'joins' : 'leaves'} the room from ${DEVICES[d]}`,
    may: (world) => at(world, u, d) !== undefined,
    does: (world) => (isJoining ? world.joins(at(world, u, d)!) : world.quits(at(world, u, d)!)),
  }),
);
const pages = fc
  .tuple(user, conv, place, fc.integer({ min: 1, max: 5 }), fc.constantFrom('before', 'after', 'newest'))
  .map(([u, c, p, limit, way]) =>
    commandOf({
      name: `${NAMES[u]} pages ${limit} ${way} entry ${p} of conversation ${c}`,
      may: (world) => world.log(world.user(u), c).entries.length > 0,
      does: (world) => world.pages(world.user(u), world.log(world.user(u), c), p, limit, way),
    }),
  );
const lists = fc.tuple(user, node).map(([u, n]) =>
  commandOf({
    name: `${NAMES[u]} lists conversations on node ${n}`,
    may: () => true,
    does: (world) => world.lists(world.user(u), n),
  }),
);
const polls = fc.tuple(user, node, fc.boolean()).map(([u, n, isAcking]) =>
  commandOf({
    name: `${NAMES[u]} polls node ${n}${isAcking ? ' and acknowledges' : ''}`,
    may: () => true,
    does: (world) => world.polls(world.user(u), n, isAcking),
  }),
);

const FAULTS_MAX = 2;
const dies = node.map((n) =>
  commandOf({
    name: `node ${n} is killed and started again`,
    may: (world) => world.faults < FAULTS_MAX,
    does: (world) => world.kills(n),
  }),
);
const cut = fc.constant(
  commandOf({
    name: 'all subscriptions are cut',
    may: (world) => world.faults < FAULTS_MAX,
    does: (world) => world.cuts(),
  }),
);

const COMMANDS = [
  comes,
  comes,
  goes,
  sends,
  sends,
  sends,
  posts,
  repeats,
  amends,
  acks,
  reads,
  moves,
  pages,
  lists,
  polls,
];

describe.each(shapesWith({}))('whatever people do, in any order, on %s', (_shape, plan) => {
  const t = townFor(plan);
  const commands = plan.redis ? [...COMMANDS, dies, cut] : COMMANDS;

  test(`everybody gets what a plain list would give them (seed ${SEED})`, {
    timeout: 60_000 + RUNS * 5_000,
  }, async () => {
    const all = new Log('all');
    let ran = 0;
    await fc.assert(
      fc.asyncProperty(fc.commands(commands, { maxCommands: COMMANDS_MAX, size: 'max' }), async (script) => {
        const world = await World.founded(t, all);
        await fc.asyncModelRun(() => ({ model: world, real: world }), script);
        await world.ends();
        expect(t.violations()).toEqual([]);
        ran++;
      }),
      { seed: SEED, numRuns: RUNS, endOnFailure: false },
    );
    expect(ran).toBeGreaterThanOrEqual(RUNS);
  });
});
