/** What the laws speak of: a store, the nodes on it, and the people at those nodes. */
import { onTestFinished } from 'vitest';
import { frameOf, type Item, messageTail, seqOf, systemTail, type Target } from '../../src/chat/item.js';
import type { Arrival, Backend, Letter, Listener, MarkOutcome, Outcome, RoomChange } from '../../src/chat/ports.js';
import type { StoreLimits } from '../../src/chat/store-limits.js';
import type { RawJson } from '../../src/protocol/decode.js';
import {
  ALL,
  type Conv,
  DEFAULT_DEVICE,
  type DeviceId,
  dmOf,
  type MessageId,
  type Role,
  type RoomId,
  roomConv,
  type Uid,
} from '../../src/protocol/index.js';
import { Recorder } from '../support/recorder.js';

/** A store of its own, empty. */
export type Town = {
  /** One more node on this store, started. At most one where `manyNodes` is false. */
  node(listener?: Listener): Promise<Backend>;
  /** Closes the nodes that are still open, and the store. */
  close(): Promise<void>;
};

/** A backend that is held to the laws. */
export type Subject = {
  readonly name: string;
  /** Several nodes can share one store. */
  readonly manyNodes: boolean;
  readonly make: (options: { readonly limits: StoreLimits }) => Promise<Town>;
};

const LIMITS: StoreLimits = {
  pendingMessages: 1_000,
  pendingBytes: 1_000_000,
  strangerMessages: 100,
  strangers: 100,
  conversations: 1_000_000,
  retentionMessages: 1_000,
  retentionMs: 3_600_000,
  dedupMs: 600_000,
  devices: 32,
  deviceMs: 3_600_000,
};

/** A town of one node, gone when the test is. */
export async function aNode(subject: Subject, limits: Partial<StoreLimits> = {}): Promise<Place> {
  const [place] = await nodes(subject, 1, limits);
  return place!;
}

/** A town of several nodes, gone when the test is. */
export async function nodes(subject: Subject, count: number, limits: Partial<StoreLimits> = {}): Promise<Place[]> {
  const town = await subject.make({ limits: { ...LIMITS, ...limits } });
  onTestFinished(() => town.close());
  const places: Place[] = [];
  for (let i = 0; i < count; i++) {
    const heard = new Recorder();
    places.push(new Place(await town.node(heard), heard));
  }
  return places;
}

export type Stored = Exclude<Outcome, { readonly refused: unknown }>;

let conns = 0;
let refs = 0;
const EVERYTHING = 1_000_000_000;

/** A node, and what people do there. */
export class Place {
  constructor(
    readonly node: Backend,
    readonly heard: Recorder,
  ) {}

  async arrives(uid: Uid, device = DEFAULT_DEVICE, conn = `conn-${++conns}`): Promise<Arrival> {
    this.heard.holds.add(uid);
    return this.node.devices.enter({ uid, device }, conn);
  }

  async leaves(uid: Uid, conn: string): Promise<void> {
    await this.node.devices.leave(uid, conn);
  }

  /** Sends something that may be refused. */
  async tries(sender: Uid, target: Target, text: string, id?: string): Promise<Outcome> {
    const [outcome] = await this.node.log.append([letter(sender, target, text, id)]);
    return outcome!;
  }

  /** Sends something that must not be refused. */
  async says(sender: Uid, target: Target, text: string, id?: string): Promise<Stored> {
    return stored(await this.tries(sender, target, text, id));
  }

  /** The device has everything of a conversation up to a seq. */
  async acks(uid: Uid, conv: Conv, seq: number, device = DEFAULT_DEVICE): Promise<MarkOutcome> {
    const [outcome] = await this.node.devices.mark([{ uid, conv, device, delivered: seq }]);
    return outcome!;
  }

  async hasRead(uid: Uid, conv: Conv, seq: number): Promise<MarkOutcome> {
    const [outcome] = await this.node.devices.mark([{ uid, conv, read: seq }]);
    return outcome!;
  }

  /** Everything that a log holds. */
  async items(conv: Conv): Promise<readonly Item[]> {
    return (await this.node.log.read(conv, 0, EVERYTHING, EVERYTHING)).items;
  }

  async texts(conv: Conv): Promise<string[]> {
    return (await this.items(conv)).map(textOf);
  }

  /** The conversations pending for a device, and how far it has each. */
  async pendingFor(uid: Uid, device = DEFAULT_DEVICE): Promise<Map<Conv, number>> {
    const { pending } = await this.node.devices.pending({ uid, device }, 0);
    return new Map(pending.map(({ conv, cursor }) => [conv, cursor]));
  }

  /** A room of an owner and members, with an entry for each. Returns the seq of the last one. */
  async founds(room: RoomId, owner: Uid, members: readonly Uid[] = [], isPrivate = false): Promise<number> {
    const place = await this.node.rooms.change({
      room,
      expect: { exists: false, private: false, roles: [[owner, undefined]] },
      meta: { name: room, private: isPrivate },
      roles: [[owner, 'owner'], ...members.map((uid) => [uid, 'member'] as const)],
      sender: owner,
      tails: [owner, ...members].map((uid, i) =>
        systemTail(owner, room, { event: i === 0 ? 'created' : 'joined', uid, by: owner }),
      ),
    });
    return changed(place).seq;
  }

  /** One more member of a public room. Returns the seq of the entry. */
  async joins(uid: Uid, room: RoomId, role: Role = 'member'): Promise<number> {
    return changed(await this.node.rooms.change(joining(uid, room, role))).seq;
  }

  async quits(uid: Uid, room: RoomId, role: Role = 'member'): Promise<number> {
    return changed(await this.node.rooms.change(quitting(uid, room, role))).seq;
  }
}

/** A member's going, as the policy asks for it. */
export const quitting = (uid: Uid, room: RoomId, role: Role = 'member'): RoomChange => ({
  room,
  expect: { exists: true, private: false, roles: [[uid, role]] },
  roles: [[uid, undefined]],
  sender: uid,
  tails: [systemTail(uid, room, { event: 'left', uid, by: uid })],
});

/** Somebody's coming to a public room, as the policy asks for it. */
export const joining = (uid: Uid, room: RoomId, role: Role = 'member'): RoomChange => ({
  room,
  expect: { exists: true, private: false, roles: [[uid, undefined]] },
  roles: [[uid, role]],
  sender: uid,
  tails: [systemTail(uid, room, { event: 'joined', uid, by: uid, role })],
});

export function letter(sender: Uid, target: Target, text: string, id?: string): Letter {
  const tail = messageTail(id as MessageId | undefined, sender, target, JSON.stringify(text) as RawJson);
  return { conv: convOf(sender, target), sender, id: id as MessageId | undefined, tail, ref: ++refs };
}

function convOf(sender: Uid, target: Target): Conv {
  if ('receiver' in target) return dmOf(sender, target.receiver);
  return 'room' in target ? roomConv(target.room) : ALL;
}

export function stored(outcome: Outcome | undefined): Stored {
  if (outcome === undefined || 'refused' in outcome) throw new Error(`not stored: ${JSON.stringify(outcome)}`);
  return outcome;
}

export function changed<T extends object>(place: T | 'changed'): T {
  if (place === 'changed') throw new Error('the room was not as expected');
  return place;
}

/** The text of an item that `letter` made. */
export const textOf = (item: Item): string => (JSON.parse(frameOf(item)) as { data: string }).data;
export const seqsOf = (items: readonly Item[]): number[] => items.map(seqOf);

export const to = (receiver: Uid): Target => ({ receiver });
export const inRoom = (room: RoomId): Target => ({ room });
export const EVERYBODY: Target = { broadcast: true };

export const user = (name: string): Uid => name as Uid;
export const device = (name: string): DeviceId => name as DeviceId;
export const A = user('Alice');
export const B = user('Bob');
export const C = user('Carol');
export const AB = dmOf(A, B);
export const PHONE = device('phone');
export const LAPTOP = device('laptop');
export const ROOM = 'lounge' as RoomId;
export const LOUNGE = roomConv(ROOM);
