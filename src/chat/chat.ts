/** The domain of one node put together: what happens to connections, and what happens on hints. */
import type { Decoded } from '../protocol/decode.js';
import { CLOSE } from '../protocol/index.js';
import { Amend } from './amend.js';
import { Arrivals } from './arrivals.js';
import { BanList } from './bans.js';
import { Bucket } from './bucket.js';
import { CatchUp } from './catch-up.js';
import { Commits } from './commits.js';
import { Control } from './control.js';
import { CursorTokens } from './cursor-token.js';
import { Cursors } from './cursors.js';
import type { Debug } from './debug.js';
import { Delivery } from './delivery.js';
import { Expenses } from './expenses.js';
import { Farewells } from './farewells.js';
import { Feeds } from './feeds.js';
import { Handlers } from './handlers.js';
import { createHearing } from './hearing.js';
import type { Line, Switchboard } from './line.js';
import { Membership } from './membership.js';
import type { Meter } from './meter.js';
import { Moderation } from './moderation.js';
import { createNames } from './names.js';
import { Polls } from './polls.js';
import type { Backend, NodeId } from './ports.js';
import { Publisher } from './publisher.js';
import { Pulse } from './pulse.js';
import { Reconcile } from './reconcile.js';
import { Registry } from './registry.js';
import { Requests } from './requests.js';
import { type Allowance, type Identity, Session, type SessionOptions } from './session.js';
import { Streams } from './streams.js';
import { Watch } from './watch.js';

/** Frames, and characters of them, that wait until their connection is let in. */
const INBOX_FRAMES = 256;
const INBOX_CHARS = 262_144;

export type ChatParts = {
  readonly node: NodeId;
  readonly backend: Backend;
  readonly switchboard: Switchboard;
  readonly meter: Meter;
  readonly limits: {
    readonly frame: number;
    readonly rate: number;
    /** Bytes a second of a connection. */
    readonly rateBytes: number;
    /** Requests of a connection that may be in hand at once. */
    readonly queries: number;
    readonly dedup: number;
    readonly userSockets: number;
    readonly userRooms: number;
    readonly roomMembers: number;
    /** Milliseconds in which a message can be withdrawn. */
    readonly recallMs: number;
  };
  /** Proves who a `hello` is from. */
  readonly identify: (credentials: { readonly token: string }) => Identity | undefined | Promise<Identity | undefined>;
  readonly debug: Debug | undefined;
  /** Something that must not happen did; it is logged and counted, and the node goes on. */
  readonly fault: (error: unknown) => void;
};

export type Chat = ReturnType<typeof createChat>;

export function createChat(parts: ChatParts) {
  const { backend, meter, debug, fault, node } = parts;
  const now = () => performance.now();
  const newConn = createNames();
  const registry = new Registry();
  const commits = new Commits({ log: backend.log, registry, meter, now, debug, fault });
  const feeds = new Feeds({ backend, registry, fault });
  const delivery = new Delivery({ registry, meter, feeds, commits });
  const settled = () => commits.settled();
  delivery.reader = new CatchUp({ log: backend.log, registry, meter, feeds, delivery, settled, fault });
  const cursors = new Cursors({ ...backend, registry, delivery, fault });
  commits.delivery = feeds.delivery = delivery;
  commits.feeds = feeds;
  commits.cursors = cursors;
  const { switchboard } = parts;
  feeds.publisher = new Publisher({ log: backend.log, registry, switchboard, meter, delivery, commits, feeds, fault });
  const pulse = new Pulse({ feeds, cursors, delivery, now, fence });
  const membership = new Membership(backend, parts.limits);
  const watch = new Watch({ ...backend, delivery, fault });
  const bans = new BanList(backend.bans, fault);
  const control = new Control({ ...backend, registry, feeds, watch, bans, fault });
  const farewells = new Farewells(backend.devices, fault);
  const expenses = new Expenses(parts.limits.rate, now);
  const arrivals = new Arrivals({
    node,
    expenses,
    farewells,
    devices: backend.devices,
    watch,
    control,
    bans,
    registry,
    delivery,
    feeds,
    pulse,
    cursors,
    meter,
    debug,
    limits: parts.limits,
    take: (session, text) => handlers.take(session, text),
    fault,
  });
  let secret = '';
  const { devices } = backend;
  const tokens = new CursorTokens({ devices, cursors, secret: () => secret });
  const { userSockets } = parts.limits;
  const polls = new Polls({
    backend,
    registry,
    feeds,
    cursors,
    tokens,
    watch,
    farewells,
    expenses,
    userSockets,
    newConn,
    fault,
  });
  bans.onBanned = (ban) => {
    control.disconnect(ban, CLOSE.banned.code);
    polls.endOf(ban.uid);
  };
  const streams = new Streams({ tokens, devices, health: () => backend.health(), registry, meter, userSockets, fault });
  const reconcile = new Reconcile({ backend, registry, delivery, feeds, polls, control, meter, fault });
  const amend = new Amend({ amendments: backend.amendments, rooms: backend.rooms, recallMs: parts.limits.recallMs });
  const requests = new Requests({ backend, registry, cursors, membership, amend, commits, control });
  const handlers = new Handlers({
    backend,
    registry,
    commits,
    cursors,
    delivery,
    requests,
    watch,
    queries: parts.limits.queries,
    meter,
    now,
    renew,
    fault,
  });

  const listener = createHearing({
    registry,
    delivery,
    feeds,
    cursors,
    polls,
    watch,
    control,
    reconcile,
    meter,
    fault,
  });

  /** Of a connection that says something for the first time: full, as if it were as old as the connection. */
  function allow(): Allowance {
    const { rate, rateBytes, frame } = parts.limits;
    const began = now();
    return {
      sends: new Bucket(rate, began),
      marks: new Bucket(rate * 10, began),
      bytes: new Bucket(rateBytes, began, Math.max(rateBytes, frame)),
    };
  }

  /** This process stood still for longer than its lease: its connections are to find a node that knows what is new. */
  function fence(): void {
    polls.endAll();
    for (const user of registry.all()) for (const session of [...user.sessions]) session.close('restart');
  }

  /** A ping of the client costs as much as a frame that only marks something. */
  function beat(session: Session): void {
    const { marks } = session.allowance;
    if (marks.take(now()) > 0 && marks.isAbused) session.close('rateLimited');
  }

  async function renew(session: Session, frame: Decoded<'hello'>) {
    const identity = frame.token === undefined ? undefined : await parts.identify({ token: frame.token });
    if (identity?.uid !== session.uid)
      return { refused: 'bad_request', message: 'another user, or no valid token' } as const;
    if (bans.isBanned(identity.uid, session.device, identity.tokenId)) {
      session.close('banned');
      return { refused: 'forbidden' } as const;
    }
    session.identity = identity;
    pulse.watch(session);
    return arrivals.welcomeAgain(session, frame.id);
  }

  return {
    registry,
    polls,
    streams,
    cursors,
    commits,
    delivery,
    requests,
    membership,
    moderation: new Moderation(backend, control, membership),
    bans,
    newConn,
    async start(): Promise<void> {
      await backend.start(node, listener);
      secret = await backend.secret();
      await bans.start();
    },
    secret: () => secret,
    /** A connection whose user is known. */
    admit(line: Line, options: Pick<SessionOptions, 'identity' | 'device' | 'ack' | 'replace'>): Session {
      const { identity, device, ack, replace } = options;
      const session = new Session({ conn: newConn(), line, identity, device, ack, replace, allow }, now());
      arrivals.enter(session);
      return session;
    },
    take(session: Session, text: string | undefined): void {
      if (session.closed) return;
      if (session.arrived && session.inbox === undefined) return handlers.take(session, text);
      session.inboxBytes += text?.length ?? 0;
      session.inbox ??= [];
      if (session.inbox.push(text) > INBOX_FRAMES || session.inboxBytes > INBOX_CHARS) session.close('rateLimited');
    },
    /** One that nobody asked for counts as a ping does. */
    pong(session: Session, payload: string): void {
      if (!pulse.pong(session, payload)) beat(session);
    },
    beat,
    drain: (session: Session) => delivery.drained(session),
    close(session: Session, inOrder: boolean): void {
      if (session.closed) return;
      session.closed = true;
      const { uid, allowed } = session;
      if (allowed) expenses.vain(uid, allowed.sends.inVain + allowed.marks.inVain, allowed.bytes.inVain);
      arrivals.leave(session, inOrder);
    },
    /** A connection was closed because it sent too much. */
    flooded: (session: Session) => expenses.flooded(session.uid),
    /** Ends: what is on its way is answered, cursors are written. The lines must be closed already. */
    async stop(): Promise<void> {
      polls.close();
      farewells.stop();
      bans.stop();
      watch.stop();
      pulse.stop();
      reconcile.stop();
      await commits.settled();
      await cursors.flush();
    },
  };
}
