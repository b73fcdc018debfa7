import type { Reader, Standing } from '../chat/ports.js';
import { ALL, type Conv, type DeviceId, roomConv } from '../protocol/index.js';
import { type Device, roomOf, type Store, type User } from './store.js';

/** A device makes itself known: from now on it is remembered, in the place of the one that was away longest. */
export function seeDevice(store: Store, user: User, id: DeviceId): Device {
  const device = knownDevice(store, user, id) ?? newDevice(store, user);
  device.seenMs = store.now();
  user.devices.delete(id);
  user.devices.set(id, device);
  for (const oldest of user.devices.keys()) {
    if (user.devices.size <= store.limits.devices) break;
    user.devices.delete(oldest);
  }
  if (!user.wasSeen) {
    user.wasSeen = true;
    user.beganInAll = store.head(ALL);
    for (const conv of user.box) store.acquaint(user.uid, conv);
  }
  return device;
}

function knownDevice(store: Store, user: User, id: DeviceId): Device | undefined {
  forgetDevices(store, user);
  return user.devices.get(id);
}

/** Forgets the devices that were away for too long. */
export function forgetDevices(store: Store, user: User): void {
  const since = store.now() - store.limits.deviceMs;
  for (const [id, device] of user.devices) {
    if (device.seenMs > since) return;
    if (![...user.conns.values()].includes(id)) user.devices.delete(id);
  }
}

function newDevice(store: Store, user: User): Device {
  const cursors = new Map<Conv, number>();
  for (const [conv, { delivered }] of user.positions) if (delivered > 0) cursors.set(conv, delivered);
  cursors.set(ALL, startInAll(store, user));
  return { cursors, polls: new Map(), seenMs: 0, toldMoves: 0 };
}

/** What another device has of `all`; a user's first device begins with what comes next. */
function startInAll(store: Store, user: User): number {
  const others = [...user.devices.values()].map((device) => device.cursors.get(ALL) ?? 0);
  const acknowledged = Math.max(user.positions.get(ALL)?.delivered ?? 0, ...others);
  return others.length === 0 && acknowledged === 0 ? store.head(ALL) : acknowledged;
}

/** Where a device is in a conversation. One that is not known is where it would start. */
export function cursorOf(store: Store, { uid, device }: Reader, conv: Conv): number {
  const user = store.users.get(uid);
  if (user === undefined) return conv === ALL ? store.head(ALL) : 0;
  const { cursors } = knownDevice(store, user, device) ?? newDevice(store, user);
  return cursorIn(user, cursors, conv);
}

/** Nothing of a room is from before its user came. */
function cursorIn(user: User, cursors: ReadonlyMap<Conv, number>, conv: Conv): number {
  const room = roomOf(conv);
  const since = room === undefined ? 0 : (user.rooms.get(room) ?? 0);
  return Math.max(cursors.get(conv) ?? 0, since);
}

/** The user's direct conversations with an entry above the device's cursor, the last one not older than `sinceMs`. */
export function pendingOf(store: Store, user: User, device: Device, sinceMs: number): Standing[] {
  const pending: Standing[] = [];
  for (const conv of user.box) {
    const cursor = device.cursors.get(conv) ?? 0;
    const head = store.head(conv);
    if (head > cursor && (store.journals.get(conv)?.lastTs ?? 0) >= sinceMs) pending.push({ conv, cursor, head });
  }
  return pending;
}

export function feedsOf(store: Store, user: User, device: Device): Standing[] {
  const convs = [ALL, ...[...user.rooms.keys()].map(roomConv)];
  return convs.map((conv) => ({ conv, cursor: cursorIn(user, device.cursors, conv), head: store.head(conv) }));
}
