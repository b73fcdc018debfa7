import type { Devices, Mark, MarkOutcome } from '../chat/ports.js';
import { cursorOf, feedsOf, pendingOf, seeDevice } from './cursors.js';
import { advance, receiptOf, receiptsSince } from './positions.js';
import { roomOf, type Store, type User } from './store.js';

const POLLS_MAX = 32;

export function createDevices(store: Store): Devices {
  return {
    async enter(reader, conn) {
      const ts = store.now();
      const user = store.user(reader.uid);
      const device = seeDevice(store, user, reader.device);
      user.conns.set(conn, reader.device);
      user.lastSeen = ts;
      const receipts = receiptsSince(store, user, device.toldMoves);
      // Not moved when the connection leaves: a receipt that was written to a dying socket must come again.
      device.toldMoves = store.moves;
      const pending = pendingOf(store, user, device, 0);
      const feeds = feedsOf(store, user, device);
      return { ts, pending, feeds, receipts, blocks: [...user.blocks], looked: lookedAt(user) };
    },

    async leave(uid, conn) {
      const user = store.users.get(uid);
      if (!user?.conns.has(conn)) return;
      const device = user.conns.get(conn);
      if (device !== undefined && user.devices.has(device)) seeDevice(store, user, device);
      user.conns.delete(conn);
      user.lastSeen = user.activeMs = store.now();
    },

    async assert(conns) {
      for (const { uid, conn } of conns) {
        const user = store.user(uid);
        if (!user.conns.has(conn)) user.conns.set(conn, undefined);
        user.lastSeen = user.activeMs;
      }
    },

    async pending(reader, since) {
      const user = store.user(reader.uid);
      const device = seeDevice(store, user, reader.device);
      const pending = pendingOf(store, user, device, since);
      return { ts: store.now(), pending, feeds: feedsOf(store, user, device), looked: lookedAt(user) };
    },

    async mark(marks) {
      return marks.map((mark) => carryOut(store, mark));
    },

    async savePoll(reader, held) {
      const { polls } = seeDevice(store, store.user(reader.uid), reader.device);
      const poll = ++store.polls;
      polls.set(poll, [...held]);
      for (const oldest of polls.keys()) {
        if (polls.size <= POLLS_MAX) break;
        polls.delete(oldest);
      }
      return poll;
    },

    async openPoll({ uid, device }, poll) {
      return store.users.get(uid)?.devices.get(device)?.polls.get(poll);
    },
  };
}

const lookedAt = ({ box, rooms }: User): number => box.size + rooms.size;

function carryOut(store: Store, mark: Mark): MarkOutcome {
  const { uid, conv, device, delivered, read, silent, announce } = mark;
  const room = roomOf(conv);
  if (room !== undefined && !store.rooms.get(room)?.members.has(uid)) return { refused: 'not_member' };
  if (Math.max(delivered ?? 0, read ?? 0) > store.head(conv)) return { refused: 'bad_request' };
  const user = store.user(uid);
  if (device !== undefined && delivered !== undefined) {
    const { cursors } = seeDevice(store, user, device);
    cursors.set(conv, Math.max(delivered, cursorOf(store, { uid, device }, conv)));
  }
  const hasMoved = advance(store, user, conv, { delivered: device && delivered, read, silent });
  return hasMoved || announce ? { receipt: receiptOf(user, conv) } : {};
}
