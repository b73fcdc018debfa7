import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import type { Connection } from './client.js';
import { type Answer, type ErrorBody, http, type Request } from './http.js';
import { Person, type Place, Room } from './person.js';
import { Poller } from './poller.js';
import { type Environment, type NodeProcess, startNode } from './process.js';
import { RedisServer } from './redis.js';

export interface TownPlan {
  readonly nodes: number;
  /** `true` starts a Redis of the town's own, a server is shared, `false` is the embedded backend. */
  readonly redis: boolean | RedisServer;
  /** Settings of every node. */
  readonly env?: Environment;
  /** Another `main.js` than the product's. */
  readonly build?: string | undefined;
  /** Where a node finds its Redis, if not directly: a proxy, for instance. */
  readonly through?: (redis: RedisServer, node: number) => Promise<{ readonly url: string }>;
}

/** The two ways in which the main stories run. */
export const SHAPES: readonly (readonly [string, TownPlan])[] = [
  ['three nodes on one Redis', { nodes: 3, redis: true }],
  ['one embedded node', { nodes: 1, redis: false }],
];

/** The same two ways with settings of their own, and with fewer nodes. */
export const shapesWith = (env: Environment, nodes = 2): readonly (readonly [string, TownPlan])[] => [
  [`${nodes} nodes on one Redis`, { nodes, redis: true, env }],
  ['one embedded node', { nodes: 1, redis: false, env }],
];

/** Fast enough that no story meets a rate that it isn't about, and a drain that doesn't make it wait. */
const CALM: Environment = { SKEIN_RATE: '100000', SKEIN_DRAIN_SECONDS: '2', SKEIN_LOG_LEVEL: 'info' };

export class Town implements Place {
  readonly nodes: NodeProcess[] = [];
  private readonly connections: Connection[] = [];
  private born = 0;
  private server: RedisServer | undefined;

  constructor(private readonly plan: TownPlan) {}

  /** Starts the Redis, if the town has its own, and every node; all are ready for traffic when it resolves. */
  async opens(): Promise<this> {
    const { redis, nodes } = this.plan;
    this.server = redis === true ? await RedisServer.start() : redis || undefined;
    const started = await Promise.allSettled(Array.from({ length: nodes }, (_, index) => this.starts(index + 1)));
    const failed = started.find((outcome) => outcome.status === 'rejected');
    if (!failed) return this;
    await this.closes();
    throw failed.reason;
  }

  get redis(): RedisServer {
    if (!this.server) throw new Error('this town has no Redis');
    return this.server;
  }

  /** Starts one more node, or one in the place of a node that is gone. */
  async starts(number: number): Promise<NodeProcess> {
    const redis = this.server && ((await this.plan.through?.(this.server, number)) ?? this.server);
    const env = { ...CALM, ...(redis && { REDIS_URL: redis.url }), ...this.plan.env };
    const node = await startNode(env, this.plan.build);
    this.nodes[number - 1] = node;
    return node;
  }

  node(number: number): NodeProcess {
    const node = this.nodes[(number - 1) % this.nodes.length];
    if (!node) throw new Error('this town has no nodes');
    return node;
  }

  get living(): NodeProcess[] {
    return this.nodes.filter((node) => node.isAlive);
  }

  opened(connection: Connection): void {
    this.connections.push(connection);
  }

  /** Somebody new: no two users of a town share a uid, so stories don't meet. */
  user(name: string): Person {
    return new Person(this, `${name}.${++this.born}`);
  }

  room(name: string): Room {
    return new Room(`${name}.${++this.born}`);
  }

  poller(uid: string, device?: string): Poller {
    return new Poller((number) => this.node(number), uid, device);
  }

  asks<Body = ErrorBody>(node: number, path: string, request?: Request): Promise<Answer<Body>> {
    return http<Body>(`${this.node(node).url}${path}`, request);
  }

  /** What broke the rules that hold for every connection and node since the last look; must be empty. */
  violations(): string[] {
    const ended = this.nodes.filter((node) => node.hasCrashed);
    return [
      ...this.connections.flatMap((connection) => connection.order.violations.splice(0)),
      ...ended.map(({ program }) => `a node ended by itself: ${program.printed.slice(-8).join('\n')}`),
    ];
  }

  async closes(): Promise<void> {
    for (const connection of this.connections) connection.socket.terminate();
    await Promise.all(this.living.map((node) => node.kill('SIGKILL')));
    if (this.plan.redis === true) await this.server?.stop();
  }
}

/** A town for one test, which closes it. */
export function town(plan: TownPlan): Promise<Town> {
  return new Town(plan).opens();
}

/** A town that the tests of a file or of a `describe` share; what holds for every connection is checked after each. */
export function townFor(plan: TownPlan): Town {
  const shared = new Town(plan);
  beforeAll(() => shared.opens());
  afterEach(() => expect(shared.violations()).toEqual([]));
  afterAll(() => shared.closes());
  return shared;
}
