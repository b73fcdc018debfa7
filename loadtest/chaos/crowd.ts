/** The users of a run: who they are, how they are connected, and what they say to whom. */
import { eachOf, pause, until } from '../client/gate.js';
import type { Client, ClientParts } from './client/client.js';
import { convOf, type Target } from './client/frame.js';
import { ask } from './client/http.js';
import { SENDING_DEVICE } from './client/inbox.js';
import { PollClient } from './client/poll-client.js';
import { SocketClient } from './client/socket-client.js';
import { StreamClient } from './client/stream-client.js';
import type { Ledger, Reader } from './ledger.js';
import type { Random } from './random.js';

const ROOM_SIZE = 12;
const PARTNERS = [1, 5, 11];
/** The room that slow readers are flooded in: one user of each kind. */
const WELL = 'well';
const WELL_SIZE = 4;
const TICK_MS = 10;
const GATHER_MS = 30_000;
/** Parts of the traffic: the rest is direct. */
const ROOMS_PART = 0.18;
const BROADCAST_PART = 0.06;
/** The most that somebody says at a stretch, each without waiting for the answer to the one before. */
const STRETCH = 6;
const STRETCH_PAUSE_MS = 30;

export class Crowd {
  /** All devices; the first so many are those that send. */
  readonly clients: readonly Client[];
  private readonly rooms = new Map<string, readonly string[]>();
  private talking: NodeJS.Timeout | undefined;

  constructor(
    private readonly users: number,
    private readonly parts: ClientParts,
    /** For the third of them that is far away. */
    distant: ClientParts,
  ) {
    const size = Math.ceil(users / ROOM_SIZE);
    for (let room = 0; room < size; room++)
      this.rooms.set(
        `r${room}`,
        this.uids.filter((_, i) => [room, (room + 1) % size].includes(Math.floor(i / ROOM_SIZE))),
      );
    this.rooms.set(WELL, this.uids.slice(0, WELL_SIZE));
    const extra = this.uids.map((_, index) => index).filter((index) => index % 10 === 0);
    this.clients = [
      ...this.uids.map((uid, index) =>
        clientOf(index, { uid, device: SENDING_DEVICE }, index % 3 === 2 ? distant : parts),
      ),
      // A second device of a few, on another transport.
      ...extra.map((index) => clientOf(index + 1, { uid: uidOf(index), device: 'b' }, parts)),
    ];
    this.open(parts.ledger);
  }

  /** Everybody is connected, and in their rooms, when this resolves. */
  async gathers(): Promise<void> {
    for (const [room, members] of this.rooms) {
      const asked = { method: 'POST', path: `/v1/rooms?uid=${members[0]}`, body: { room, members }, timeout: 5_000 };
      const { status } = await ask(this.parts.place, asked);
      if (status !== 201) throw new Error(`the room ${room} was answered ${status}`);
    }
    await eachOf(this.clients, 20, async (client) => {
      client.starts();
      await until(() => client.isOnline, GATHER_MS);
    });
    const away = this.clients.filter(({ isOnline }) => !isOnline);
    if (away.length > 0) throw new Error(`${away.length} clients do not get in`);
  }

  /** Those who send on a WebSocket, and repeat until they are answered. */
  get postmen(): readonly Client[] {
    return this.senders.filter((_, index) => index % 4 < 2 && tries(index));
  }

  /** Devices that send nothing. */
  get others(): readonly Reader[] {
    return this.clients.slice(this.users).map(({ reader }) => reader);
  }

  get senders(): readonly Client[] {
    return this.clients.slice(0, this.users);
  }

  /** Says so much a second, all users together, until `hushes`; `passengers` tells who else is there to hear. */
  talks(rate: number, random: Random, passengers: () => number): void {
    let last = performance.now();
    let owed = 0;
    this.talking = setInterval(() => {
      const now = performance.now();
      owed += ((now - last) * rate) / 1_000;
      last = now;
      // Everybody hears a broadcast: the more of them there are, the fewer are made.
      const broadcasts = (BROADCAST_PART * this.users) / (this.users + passengers());
      while (owed >= 1) owed -= this.saysSomething(random, broadcasts);
    }, TICK_MS);
  }

  hushes(): void {
    clearInterval(this.talking);
  }

  /** Large messages to the room of the slow readers, so fast that the buffers on the way fill up. */
  async floodsWell(ms: number, rate: number, bytes: number): Promise<void> {
    const speakers = this.senders.slice(0, 2);
    const end = performance.now() + ms;
    for (let n = 0; performance.now() < end; n++) {
      speakers[n % speakers.length]?.says({ room: WELL }, 'x'.repeat(bytes));
      if (n % 10 === 9) await pause(10_000 / rate);
    }
  }

  /** The clients in the room of the slow readers that do not speak there. */
  get drinkers(): readonly Client[] {
    return this.clients.filter(
      ({ reader }, index) => index >= 2 && index < WELL_SIZE && reader.device === SENDING_DEVICE,
    );
  }

  async stops(): Promise<void> {
    this.hushes();
    await Promise.all(this.clients.map((client) => client.stops()));
  }

  private get uids(): readonly string[] {
    return Array.from({ length: this.users }, (_, index) => uidOf(index));
  }

  private open(ledger: Ledger): void {
    const devices = this.clients.map(({ reader }) => reader);
    const readersIn = (uids: readonly string[], sender: string): Reader[] =>
      devices.filter(({ uid, device }) => uids.includes(uid) && (uid !== sender || device !== SENDING_DEVICE));
    for (const [index, uid] of this.uids.entries()) {
      const opens = (target: Target, uids: readonly string[]): void =>
        ledger.opens(convOf(uid, target), uid, tries(index), readersIn(uids, uid));
      for (const receiver of this.partnersOf(index)) opens({ receiver }, [uid, receiver]);
      for (const [room, members] of this.rooms) if (members.includes(uid)) opens({ room }, members);
      opens({ broadcast: true }, this.uids);
    }
  }

  private partnersOf(index: number): string[] {
    const others = PARTNERS.map((step) => (index + step) % this.users).filter((other) => other !== index);
    return [...new Set(others)].map(uidOf);
  }

  /** Returns how much. */
  private saysSomething(random: Random, broadcasts: number): number {
    const index = random.below(this.users);
    const target = this.someTarget(index, random, broadcasts);
    const stretch = 'broadcast' in target ? 1 : 1 + random.below(STRETCH);
    for (let time = 0; time < stretch; time++) {
      const bytes = random.chance(0.1) ? random.between(500, 3_000) : random.between(0, 100);
      setTimeout(() => this.clients[index]?.says(target, '.'.repeat(bytes)), time * STRETCH_PAUSE_MS);
    }
    return stretch;
  }

  private someTarget(index: number, random: Random, broadcasts: number): Target {
    const chance = random.next();
    if (chance < broadcasts) return { broadcast: true };
    if (chance > broadcasts + ROOMS_PART) return { receiver: random.pick(this.partnersOf(index)) };
    const rooms = [...this.rooms].filter(([room, members]) => room !== WELL && members.includes(uidOf(index)));
    return { room: random.pick(rooms)[0] };
  }
}

const uidOf = (index: number): string => `u${index}`;

/** One sender in four takes an error for an answer; the others repeat, and are promised their order. */
const tries = (index: number): boolean => Math.floor(index / 4) % 4 !== 3;

/** The part of the answers to polls that are lost on their way. */
const LOST_POLLS = 0.05;
const PATIENCE_MS = [4_000, 6_000, 15_000];

function clientOf(index: number, reader: Reader, parts: ClientParts): Client {
  const isTrying = tries(index);
  const patience = PATIENCE_MS[Math.floor(index / 4) % PATIENCE_MS.length] ?? 0;
  switch (index % 4) {
    case 0:
      return new SocketClient(reader, parts, { tries: isTrying, patience, ack: 'manual' });
    case 1:
      return new SocketClient(reader, parts, { tries: isTrying, patience, ack: 'auto' });
    case 2:
      return new StreamClient(reader, parts, isTrying);
    default:
      return new PollClient(reader, parts, { tries: isTrying, loses: LOST_POLLS });
  }
}
