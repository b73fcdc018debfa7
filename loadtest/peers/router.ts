/**
 * A peer: the least that routes a message between nodes. uWebSockets.js, one PUBLISH a message to the node that holds
 * the receiver by a presence hash, nothing stored, nothing promised. Without a Redis it is one process: the floor.
 */
import uWS, { type WebSocket } from 'uWebSockets.js';
import { announce, connectRedis, NODE_NAME, REDIS_URL, readSend } from './peer.js';

type Who = { readonly uid: string; readonly room: string | undefined };
type Line = WebSocket<Who>;
/** Where a user is: a node, none (null), or not known yet. */
type Place = { node: string | null | undefined; readonly until: number; readonly waiting: string[] };

/** How long a node believes where a user is. */
const PRESENCE_MS = 1_000;
const PRESENCE = 'presence';
const READY = '{"ready":true}';

const lines = new Map<string, Line>();
const places = new Map<string, Place>();
const commands = REDIS_URL === undefined ? undefined : connectRedis();
const subscriber = commands?.duplicate();
const text = new TextDecoder();
const app = uWS.App();

async function open(line: Line): Promise<void> {
  const { uid, room } = line.getUserData();
  lines.set(uid, line);
  if (room !== undefined) line.subscribe(room);
  if (commands) await commands.hset(PRESENCE, uid, NODE_NAME);
  if (lines.get(uid) === line) line.send(READY);
}

function message(line: Line, bytes: ArrayBuffer): void {
  const send = readSend(JSON.parse(text.decode(bytes)));
  if (send === undefined) return;
  const { uid } = line.getUserData();
  const { id, receiver, room, data } = send;
  const frame = JSON.stringify({ id, sender: uid, data, ts: Date.now() });
  if (room !== undefined) {
    line.publish(room, frame);
    void commands?.publish('rooms', `${NODE_NAME} ${room}\n${frame}`);
  } else if (receiver !== undefined) route(receiver, frame);
}

function route(receiver: string, frame: string): void {
  const here = lines.get(receiver);
  if (here) return void here.send(frame);
  const place = places.get(receiver);
  if (place === undefined || place.until < Date.now()) look(receiver, place);
  const known = places.get(receiver);
  if (known?.node === undefined) known?.waiting.push(frame);
  else forward(known.node, receiver, frame);
}

/** Until the answer is in, an older one serves; without one, messages wait for it, so that they keep their order. */
function look(receiver: string, old: Place | undefined): void {
  const place: Place = { node: old?.node, until: Date.now() + PRESENCE_MS, waiting: [] };
  places.set(receiver, place);
  void commands?.hget(PRESENCE, receiver).then((node) => {
    place.node = node;
    for (const frame of place.waiting.splice(0)) forward(node, receiver, frame);
  });
}

function forward(node: string | null, receiver: string, frame: string): void {
  if (node !== null) void commands?.publish(`node:${node}`, `${receiver}\n${frame}`);
}

function hear(channel: string, payload: string): void {
  const end = payload.indexOf('\n');
  const head = payload.slice(0, end);
  const frame = payload.slice(end + 1);
  if (channel !== 'rooms') return void lines.get(head)?.send(frame);
  const [node, room = ''] = head.split(' ');
  if (node !== NODE_NAME) app.publish(room, frame);
}

app.ws<Who>('/*', {
  idleTimeout: 120,
  maxPayloadLength: 65_536,
  upgrade: (res, req, context) => {
    const query = new URLSearchParams(req.getQuery());
    const who: Who = { uid: query.get('uid') ?? '', room: query.get('room') ?? undefined };
    const key = req.getHeader('sec-websocket-key');
    res.upgrade(who, key, req.getHeader('sec-websocket-protocol'), req.getHeader('sec-websocket-extensions'), context);
  },
  open: (line) => void open(line),
  message,
  close: (line) => {
    const { uid } = line.getUserData();
    if (lines.get(uid) !== line) return;
    lines.delete(uid);
    void commands?.hdel(PRESENCE, uid);
  },
});

await subscriber?.subscribe(`node:${NODE_NAME}`, 'rooms');
subscriber?.on('message', hear);
app.listen('127.0.0.1', 0, (listening) => {
  if (listening) announce(uWS.us_socket_local_port(listening));
});
