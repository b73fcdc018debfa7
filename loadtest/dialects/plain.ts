/** The protocol of the peers that are written for this comparison: plain JSON over WebSocket, nothing acknowledged. */
import { type Dialect, HEARD, targetOf } from './dialect.js';

const KIND_AT = '{"'.length;
const READY = 'r'.charCodeAt(0);

export const plain: Dialect = {
  isAcknowledging: false,
  greeting: undefined,
  path: (uid, room) => `/?uid=${uid}${room === undefined ? '' : `&room=${room}`}`,
  reply: () => '',
  join: () => undefined,
  template: (address, padding) => ['{"id":"', `",${targetOf(address)},"data":"`, `${padding}"}`],
  hear: (bytes, from) => (bytes[from + KIND_AT] === READY ? HEARD.ready : HEARD.message),
  ackAt: () => -1,
  ackOf: () => 'direct',
};
