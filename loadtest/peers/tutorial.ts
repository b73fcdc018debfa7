/** A peer: what most tutorials build. `ws`, and one Redis channel on which every node hears every message. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { announce, connectRedis, readSend } from './peer.js';

const CHANNEL = 'chat';
const users = new Map<string, WebSocket>();
const rooms = new Map<string, Set<string>>();
const publisher = connectRedis();
const subscriber = publisher.duplicate();
const http = createServer();
const server = new WebSocketServer({ server: http });

server.on('connection', (socket, request) => {
  const query = new URL(request.url ?? '/', 'http://localhost').searchParams;
  const uid = query.get('uid') ?? '';
  const room = query.get('room');
  users.set(uid, socket);
  if (room !== null) membersOf(room).add(uid);
  socket.on('message', (frame) => {
    const send = readSend(JSON.parse(frame.toString()));
    if (send) void publisher.publish(CHANNEL, JSON.stringify({ ...send, sender: uid, ts: Date.now() }));
  });
  socket.on('close', () => {
    if (users.get(uid) === socket) users.delete(uid);
    if (room !== null) membersOf(room).delete(uid);
  });
  void publisher.hset('online', uid, '1').then(() => socket.send('{"ready":true}'));
});

function membersOf(room: string): Set<string> {
  const found = rooms.get(room) ?? new Set<string>();
  rooms.set(room, found);
  return found;
}

await subscriber.subscribe(CHANNEL);
subscriber.on('message', (_channel, payload) => {
  const message = JSON.parse(payload);
  if (message.room === undefined) return void users.get(message.receiver)?.send(payload);
  for (const uid of membersOf(message.room)) if (uid !== message.sender) users.get(uid)?.send(payload);
});

http.listen(0, '127.0.0.1', 4_096, () => announce((http.address() as AddressInfo).port));
