/** What a chat service is, without nodes, stores, sockets or time: lists, and numbers that say how far one has come. */
import { dmOf, type Frame } from '../support/frame.js';

/** One conversation: its entries as they read now. Entries are replaced, never changed: who has one keeps it as it was. */
export class Log {
  readonly entries: Frame[] = [];

  constructor(readonly conv: string) {}

  get head(): number {
    return this.entries.at(-1)?.seq ?? 0;
  }

  add(entry: Frame): void {
    this.entries.push(entry);
    const at = this.entries.findIndex(({ seq }) => seq === entry.ref);
    const original = this.entries[at];
    if (original) this.entries[at] = amended(original, entry);
    if (entry.op === 'recall') this.forgetEdits(entry.ref);
  }

  /** The page of a history: entries oldest first, and whether there are more in its direction. */
  page(limit: number, edge: { readonly before?: number; readonly after?: number }): { page: Frame[]; more: boolean } {
    const { before, after } = edge;
    if (after !== undefined) {
      const rest = this.entries.filter(({ seq }) => seq! > after);
      return { page: rest.slice(0, limit), more: rest.length > limit };
    }
    const rest = this.entries.filter(({ seq }) => before === undefined || seq! < before);
    return { page: rest.slice(-limit), more: rest.length > limit };
  }

  private forgetEdits(ref: number | undefined): void {
    for (const [at, entry] of this.entries.entries()) {
      if (entry.op !== 'edit' || entry.ref !== ref) continue;
      const { data: _forgotten, ...rest } = entry;
      this.entries[at] = rest;
    }
  }
}

function amended(original: Frame, change: Frame): Frame {
  if (change.op === 'edit') return { ...original, data: change.data, edited: true };
  if (change.op === 'react') return reacted(original, change);
  if (change.op !== 'recall') return original;
  const { data: _data, edited: _edited, reactions: _reactions, ...rest } = original;
  return { ...rest, recalled: true };
}

function reacted(original: Frame, { emoji, on, sender }: Frame): Frame {
  const all = new Map(Object.entries((original.reactions ?? {}) as Record<string, readonly string[]>));
  const others = (all.get(emoji!) ?? []).filter((uid) => uid !== sender);
  const uids = on ? [...others, sender!] : others;
  if (uids.length > 0) all.set(emoji!, uids);
  else all.delete(emoji!);
  const { reactions: _before, ...rest } = original;
  return all.size > 0 ? { ...rest, reactions: Object.fromEntries(all) } : rest;
}

/** One installation: how many entries of each conversation it has acknowledged. */
export class Device {
  readonly acked = new Map<string, number>();
}

export class User {
  readonly devices = new Map<string, Device>();
  /** How many entries of each conversation the user has read. */
  readonly read = new Map<string, number>();
  /** How many entries came before what concerns the user: of the room before joining, of `all` before being seen. */
  readonly from = new Map<string, number>();

  constructor(readonly uid: string) {}

  get isSeen(): boolean {
    return this.devices.size > 0;
  }
}

/** Everybody, everything that was said, and who may read it. */
export class Reference {
  private readonly logs = new Map<string, Log>();

  constructor(
    readonly users: readonly User[],
    readonly room: Log,
    readonly all: Log,
  ) {
    for (const log of [room, all]) this.logs.set(log.conv, log);
  }

  dm(a: User, b: User): Log {
    const conv = dmOf(a.uid, b.uid);
    const log = this.logs.get(conv) ?? new Log(conv);
    this.logs.set(conv, log);
    return log;
  }

  isIn(user: User, log: Log): boolean {
    if (log === this.room || log === this.all) return user.from.has(log.conv);
    return log.conv.split(':').slice(1).includes(user.uid);
  }

  logsOf(user: User): Log[] {
    return [...this.logs.values()].filter((log) => this.isIn(user, log));
  }

  /** The device, which is seen for the first time if it is: it starts at what the user's others have acknowledged. */
  sees(user: User, name: string): Device {
    const known = user.devices.get(name);
    if (known) return known;
    if (!user.isSeen) user.from.set(this.all.conv, this.all.entries.length);
    const device = new Device();
    for (const { conv } of this.logsOf(user)) {
      device.acked.set(conv, Math.max(0, ...[...user.devices.values()].map((other) => other.acked.get(conv) ?? 0)));
    }
    user.devices.set(name, device);
    return device;
  }

  acked(user: User, device: Device, { conv }: Log): number {
    return Math.max(device.acked.get(conv) ?? 0, user.from.get(conv) ?? 0);
  }

  acks(user: User, device: Device, log: Log, count: number): void {
    device.acked.set(log.conv, Math.max(this.acked(user, device, log), count));
  }

  pending(user: User, device: Device, log: Log): readonly Frame[] {
    return log.entries.slice(this.acked(user, device, log));
  }

  reads(user: User, log: Log, count: number): void {
    user.read.set(log.conv, Math.max(user.read.get(log.conv) ?? 0, count));
  }

  unread(user: User, log: Log): number {
    const from = Math.max(user.read.get(log.conv) ?? 0, user.from.get(log.conv) ?? 0);
    return log.entries.slice(from).filter(({ op, sender }) => op === undefined && sender !== user.uid).length;
  }
}
