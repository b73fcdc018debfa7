/** Socket.IO 4 over the WebSocket transport of Engine.IO 4, as far as a client must speak it. */
import { type Dialect, HEARD, type Heard, targetOf } from './dialect.js';

/** Engine.IO packets: open, ping; and a Socket.IO event, whose name begins behind `42["`. */
const OPEN = '0'.charCodeAt(0);
const PING = '2'.charCodeAt(0);
const EVENT = '4'.charCodeAt(0);
const NAME_AT = '42["'.length;
const MESSAGE = 'm'.charCodeAt(0);
const READY = 'r'.charCodeAt(0);

export const socketio: Dialect = {
  isAcknowledging: false,
  greeting: undefined,
  path: (uid, room) => `/socket.io/?EIO=4&transport=websocket&uid=${uid}${room === undefined ? '' : `&room=${room}`}`,
  // To `open` a client connects to the main namespace, to a ping it answers.
  reply: (bytes, from) => (bytes[from] === OPEN ? '40' : '3'),
  join: () => undefined,
  template: (address, padding) => ['42["send",{"id":"', `",${targetOf(address)},"data":"`, `${padding}"}]`],
  hear,
  ackAt: () => -1,
  ackOf: () => 'direct',
};

function hear(bytes: Buffer, from: number): Heard {
  const packet = bytes[from];
  if (packet === OPEN || packet === PING) return HEARD.question;
  if (packet !== EVENT) return HEARD.nothing;
  const name = bytes[from + NAME_AT];
  if (name === MESSAGE) return HEARD.message;
  return name === READY ? HEARD.ready : HEARD.nothing;
}
