/** A peer: Socket.IO as its documentation shows it with the Redis adapter, WebSocket only. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdapter, createShardedAdapter } from '@socket.io/redis-adapter';
import { Server } from 'socket.io';
import { announce, connectRedis, readSend } from './peer.js';

const publishing = connectRedis();
const subscribed = publishing.duplicate();
const adapter =
  process.env.ADAPTER === 'sharded'
    ? createShardedAdapter(publishing, subscribed)
    : createAdapter(publishing, subscribed);

const http = createServer();
const io = new Server(http, { adapter, transports: ['websocket'], serveClient: false });

io.on('connection', (socket) => {
  const { uid, room } = socket.handshake.query;
  if (typeof uid !== 'string') return void socket.disconnect(true);
  void socket.join(`user:${uid}`);
  if (typeof room === 'string') void socket.join(room);
  socket.on('send', (frame: unknown) => {
    const send = readSend(frame);
    if (send === undefined) return;
    const to = send.room ?? `user:${send.receiver}`;
    socket.to(to).emit('message', { id: send.id, sender: uid, data: send.data, ts: Date.now() });
  });
  socket.emit('ready');
});

http.listen(0, '127.0.0.1', 4_096, () => announce((http.address() as AddressInfo).port));
