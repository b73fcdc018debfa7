/** The real service beside the reference: each thing is done to both, and what the one answers the other predicted. */
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import type { Frame } from '../support/frame.js';
import { Person, type Room } from '../support/person.js';
import type { Poll } from '../support/poller.js';
import type { Town } from '../support/town.js';
import { until } from '../support/until.js';
import { type Device, Log, Reference, User } from './reference.js';

const DEADLINE_MS = 15_000;
const POLLING = 'polling';
export const NAMES = ['ann', 'bob', 'cyd'] as const;
export const DEVICES = ['phone', 'desk'] as const;

/** A connected device: the person at it, and all that must have come to her so far. */
type Line = {
  readonly node: number;
  readonly user: User;
  readonly device: Device;
  readonly person: Person;
  readonly due: Map<string, Frame[]>;
};

export class World {
  readonly lines = new Map<string, Line>();
  readonly reference: Reference;
  private readonly room: Room;
  private readonly host: Person;
  private readonly cursors = new Map<User, { readonly cursor: string; readonly messages: readonly Frame[] }>();
  /** Things that were broken so far. */
  faults = 0;
  private ids = 0;
  /** Acknowledgements that the node they came to may not have written yet: it takes its time. */
  private fresh: { person: Person; node: number; path: string; seq: number | undefined }[] = [];

  private constructor(
    private readonly town: Town,
    all: Log,
  ) {
    this.room = town.room('room');
    this.host = town.user('host');
    const users = NAMES.map((name) => new User(town.user(name).uid));
    this.reference = new Reference(users, new Log(this.room.conv), all);
  }

  /** `all` is one for every world of a town. */
  static async founded(town: Town, all: Log): Promise<World> {
    const world = new World(town, all);
    const made = await world.host.calls(1, 'POST', '/rooms', { room: world.room.name });
    expect(made.status).toBe(201);
    const page = await world.host.calls<Frame>(1, 'GET', `/conversations/${world.room.conv}/messages`);
    for (const entry of page.body.messages!) world.reference.room.add(entry);
    return world;
  }

  user(number: number): User {
    return this.reference.users[number]!;
  }

  line(user: number, device: number): Line | undefined {
    return this.lines.get(keyOf(user, device));
  }

  /** Conversation `number` as this user sees them: with each of the users, the room, everybody. */
  log(user: User, number: number): Log {
    const { users, room, all } = this.reference;
    const other = users[number];
    return other ? this.reference.dm(user, other) : number === users.length ? room : all;
  }

  async comes(user: number, device: number, node: number): Promise<void> {
    const seen = this.reference.sees(this.user(user), DEVICES[device]!);
    const person = new Person(this.town, this.user(user).uid, DEVICES[device]!);
    await this.know(node);
    const line: Line = { node, user: this.user(user), device: seen, person, due: new Map() };
    for (const log of this.reference.logsOf(line.user)) {
      line.due.set(log.conv, [...this.reference.pending(line.user, seen, log)]);
    }
    await person.comesTo(node, { ack: 'manual' });
    this.lines.set(keyOf(user, device), line);
    for (const [conv, due] of line.due) expect(person.line.messages(conv)).toEqual(due);
  }

  async goes(user: number, device: number, isOrderly: boolean): Promise<void> {
    const { person, node } = this.line(user, device)!;
    await this.know((node % 2) + 1);
    this.lines.delete(keyOf(user, device));
    await (isOrderly ? person.leaves() : person.vanishes());
  }

  /** A node ends as a power failure would end it, and another one takes its place. */
  async kills(node: number): Promise<void> {
    this.faults++;
    await this.know((node % 2) + 1);
    for (const [key, line] of this.lines) if (line.node === node) this.lines.delete(key);
    await this.town.node(node).kill('SIGKILL');
    await this.town.starts(node);
  }

  /** Every subscription to Redis ends at once; what is published in the meantime reaches nobody. */
  async cuts(): Promise<void> {
    this.faults++;
    await this.town.redis.ask((client) => client.call('CLIENT', 'KILL', 'TYPE', 'pubsub'));
  }

  /** Sends through a line, or by HTTP through a node. */
  async sends(user: User, log: Log, data: unknown, by: Line | number): Promise<void> {
    const id = this.nextId();
    const body = { type: 'send', id, ...targetOf(user, log), data };
    const sent = await this.asks(user, by, body);
    expect(sent).toMatchObject({ type: 'sent', id, conv: log.conv });
    expect(sent).not.toHaveProperty('dup');
    this.stored(log, { ...body, type: 'message', sender: user.uid, seq: sent.seq!, ts: sent.ts! }, by);
    this.reference.reads(user, log, log.entries.length);
    await this.settles();
  }

  /** Sends again what is at a place of the log, by the same `id`; nothing comes of it. */
  async repeats(user: User, log: Log, place: number, by: Line | number): Promise<void> {
    const mine = log.entries.filter(({ sender, op }) => sender === user.uid && op === undefined);
    const first = mine[place % mine.length];
    if (!first) return;
    const again = { type: 'send', id: first.id, ...targetOf(user, log), data: 'something else' };
    expect(await this.asks(user, by, again)).toMatchObject({ type: 'sent', dup: true, seq: first.seq, ts: first.ts });
    await this.settles();
  }

  async amends(user: User, log: Log, place: number, change: Change, by: Line): Promise<void> {
    const original = log.entries[place % log.entries.length];
    if (!original) return;
    const id = this.nextId();
    const { op, ...more } = change;
    const answer = await by.person.asks({ type: op, id, conv: log.conv, seq: original.seq, ...more });
    const isGone = original.op !== undefined || original.recalled === true;
    const isTheirs = op !== 'react' && original.sender !== user.uid;
    if (isGone || isTheirs) {
      expect(answer).toMatchObject({ type: 'error', id, code: isGone ? 'not_found' : 'forbidden' });
      return;
    }
    expect(answer).toMatchObject({ type: 'sent', id, conv: log.conv });
    const target = targetOf(user, log);
    const entry = { type: 'message', conv: log.conv, seq: answer.seq!, ts: answer.ts!, id, sender: user.uid };
    this.stored(log, { ...entry, ...target, op, ref: original.seq!, ...more }, by);
    this.reference.reads(user, log, log.entries.length);
    await this.settles();
  }

  async acks({ user, device, person, node }: Line, log: Log, place: number): Promise<void> {
    const at = place % (log.entries.length + 1);
    if (at === 0) return;
    const { seq } = log.entries[at - 1]!;
    person.line.send({ type: 'ack', conv: log.conv, seq });
    this.reference.acks(user, device, log, at);
    await person.line.settles();
    this.fresh.push({ person, node, path: `/conversations/${encodeURIComponent(log.conv)}/ack`, seq });
  }

  async reads({ user, person }: Line, log: Log, place: number): Promise<void> {
    const at = place % (log.entries.length + 1);
    if (at === 0) return;
    person.line.send({ type: 'read', conv: log.conv, seq: log.entries[at - 1]!.seq });
    this.reference.reads(user, log, at);
    await person.line.settles();
  }

  async joins(by: Line): Promise<void> {
    const { room } = this.reference;
    const answer = await by.person.joins(this.room);
    expect(answer).toMatchObject({ type: 'joined', conv: room.conv });
    if (this.reference.isIn(by.user, room)) return;
    by.user.from.set(room.conv, room.entries.length);
    await this.memberChanged(by, 'joined', answer);
  }

  async quits(by: Line): Promise<void> {
    const { room } = this.reference;
    const answer = await by.person.quits(this.room);
    if (!this.reference.isIn(by.user, room)) {
      expect(answer).toMatchObject({ type: 'error', code: 'not_member' });
      return;
    }
    expect(answer).toMatchObject({ type: 'left', conv: room.conv });
    await this.memberChanged(by, 'left', answer);
    by.user.from.delete(room.conv);
    by.user.read.delete(room.conv);
    for (const device of by.user.devices.values()) device.acked.delete(room.conv);
  }

  async pages(user: User, log: Log, place: number, limit: number, way: 'before' | 'after' | 'newest'): Promise<void> {
    if (log === this.reference.all) return;
    const pivot = log.entries[place % (log.entries.length || 1)]?.seq ?? 1;
    const edge = way === 'newest' ? {} : { [way]: pivot };
    const query = new URLSearchParams({ limit: String(limit), ...(way !== 'newest' && { [way]: String(pivot) }) });
    const path = `/conversations/${encodeURIComponent(log.conv)}/messages?${query}`;
    const answer = await this.person(user).calls<Frame>((place % 2) + 1, 'GET', path);
    if (!this.reference.isIn(user, log)) {
      expect(answer.status).toBe(403);
      return;
    }
    const { page, more } = log.page(limit, edge);
    expect(answer.body.messages).toEqual(page);
    expect(answer.body.more ?? false).toBe(more);
  }

  /** What was read at another node is known here a moment later. */
  async lists(user: User, node: number): Promise<void> {
    const due = this.reference
      .logsOf(user)
      .filter((log) => log.entries.length > 0 && log !== this.reference.all)
      .map((log) => ({
        conv: log.conv,
        head: log.head,
        unread: this.reference.unread(user, log),
        last: log.entries.findLast(({ op }) => op === undefined) ?? null,
      }))
      .sort((a, b) => a.conv.localeCompare(b.conv));
    let told: unknown;
    await until(
      async () => {
        const { body } = await this.person(user).calls<Frame>(node, 'GET', '/conversations?limit=200');
        told = body
          .conversations!.filter(({ conv }) => conv !== 'all')
          .map(({ conv, head, unread, last }) => ({ conv, head, unread, last }))
          .sort((a, b) => a.conv.localeCompare(b.conv));
        return isDeepStrictEqual(told, due);
      },
      () => `the conversations of ${user.uid}: ${JSON.stringify(told)}\nwhere is due ${JSON.stringify(due)}`,
    );
  }

  /** A short poll; the next one acknowledges what it held, if asked to. */
  async polls(user: User, node: number, isAcking: boolean): Promise<void> {
    const before = this.cursors.get(user);
    const device = this.reference.sees(user, POLLING);
    const query = { wait: '0', ...(before && isAcking && { ack: before.cursor }) };
    if (before && isAcking) this.acksPolled(user, device, before.messages);
    await this.know(node);
    const answer = await this.town.poller(user.uid, POLLING).asks(node, query);
    expect(answer.status).toBe(200);
    const poll: Poll = answer.body;
    this.cursors.set(user, poll);
    const due = this.reference.logsOf(user).flatMap((log) => this.reference.pending(user, device, log));
    const byPlace = (a: Frame, b: Frame): number => a.conv!.localeCompare(b.conv!) || a.seq! - b.seq!;
    expect([...poll.messages].sort(byPlace)).toEqual(due.sort(byPlace));
    const places = poll.messages.map(({ conv, seq }) => [conv, seq] as const);
    for (const [conv] of places) {
      const seqs = places.filter(([other]) => other === conv).map(([, seq]) => seq);
      expect(seqs).toEqual([...seqs].sort((a, b) => a! - b!));
    }
  }

  /** Everybody who is there has what they should have, and nothing else. */
  async settles(): Promise<void> {
    for (const { person, due } of this.lines.values()) {
      const isThere = (): boolean => [...due].every(([conv, all]) => person.line.messages(conv).length >= all.length);
      const missing = (): string =>
        [...due]
          .filter(([conv, all]) => !isDeepStrictEqual(person.line.messages(conv), all))
          .map(
            ([conv, all]) =>
              `${conv}: ${JSON.stringify(person.line.messages(conv))}\nwhere is due ${JSON.stringify(all)}`,
          )
          .join('\n');
      await until(isThere, () => `${person.uid} to have everything\n${missing()}`, DEADLINE_MS);
      for (const [conv, all] of due) expect(person.line.messages(conv)).toEqual(all);
    }
  }

  /** The end: nothing came that was not due, no request was refused that the reference allows. */
  async ends(): Promise<void> {
    for (const { person, due } of this.lines.values()) {
      await person.line.settles();
      expect(person.line.messages().length).toBe([...due.values()].reduce((sum, all) => sum + all.length, 0));
      expect(person.line.frames.filter(({ type }) => type === 'truncated')).toEqual([]);
      await person.leaves();
    }
    this.lines.clear();
  }

  /** Whatever was acknowledged at another node than this one is written; over HTTP that is at once. */
  private async know(node: number): Promise<void> {
    const elsewhere = this.fresh.filter((ack) => ack.node !== node);
    this.fresh = this.fresh.filter((ack) => ack.node === node);
    for (const { person, path, seq } of elsewhere) {
      const answer = await person.calls(node, 'POST', `${path}?device=${person.deviceName}`, { seq });
      expect([200, 403]).toContain(answer.status);
    }
  }

  private person(user: User): Person {
    return new Person(this.town, user.uid);
  }

  private nextId(): string {
    return `m${++this.ids}`;
  }

  private async asks(user: User, by: Line | number, frame: Record<string, unknown>): Promise<Frame> {
    if (typeof by !== 'number') return by.person.asks(frame);
    const answer = await this.person(user).calls<Frame>(by, 'POST', '/messages', frame);
    expect(answer.status).toBe(200);
    return answer.body;
  }

  private async memberChanged(by: Line, event: string, { seq }: Frame): Promise<void> {
    const { room } = this.reference;
    const page = await this.host.calls<Frame>(2, 'GET', `/conversations/${room.conv}/messages?limit=1`);
    const entry = page.body.messages![0]!;
    const data = { event, uid: by.user.uid };
    expect(entry).toMatchObject({ type: 'message', conv: room.conv, seq, op: 'system', data });
    this.stored(room, entry);
    await this.settles();
  }

  /** `by`: the line that was told by `sent` instead. */
  private stored(log: Log, entry: Frame, by?: Line | number): void {
    const { type, conv = log.conv, ...rest } = entry;
    if (log.entries.length > 0 && log !== this.reference.all) expect(entry.seq).toBe(log.head + 1);
    log.add({ type, conv, ...rest });
    for (const line of this.lines.values()) {
      if (line === by || !this.reference.isIn(line.user, log)) continue;
      line.due.set(log.conv, [...(line.due.get(log.conv) ?? []), { type, conv, ...rest }]);
    }
  }

  private acksPolled(user: User, device: Device, messages: readonly Frame[]): void {
    for (const log of this.reference.logsOf(user)) {
      const last = messages.findLast(({ conv }) => conv === log.conv);
      const at = log.entries.findIndex(({ seq }) => seq === last?.seq);
      if (at >= 0) this.reference.acks(user, device, log, at + 1);
    }
  }
}

export type Change =
  | { readonly op: 'recall' }
  | { readonly op: 'edit'; readonly data: unknown }
  | { readonly op: 'react'; readonly emoji: string; readonly on: boolean };

const keyOf = (user: number, device: number): string => `${user} ${device}`;

function targetOf(user: User, { conv }: Log): { receiver: string } | { room: string } | { broadcast: true } {
  if (conv === 'all') return { broadcast: true };
  if (conv.startsWith('room:')) return { room: conv.slice('room:'.length) };
  const [a, b] = conv.split(':').slice(1) as [string, string];
  return { receiver: a === user.uid ? b : a };
}
