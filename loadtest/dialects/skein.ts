/** Skein's own protocol. In its frames `type` comes first, so that a byte or two tell them apart. */
import { type Dialect, HEARD, type Heard, targetOf } from './dialect.js';

const TYPE_AT = '{"type":"'.length;
const SENT_ID_AT = '{"type":"sent","id":"'.length;
const ERROR_ID = Buffer.from('"id":"');
/** From a number of nine digits to the first letter of the conversation behind it. */
const CONV_AFTER = 9 + '","conv":"'.length;
const [D, E, J, M, R, S, Y] = Array.from('dejmrsy', (letter) => letter.charCodeAt(0));

export const skein: Dialect = {
  isAcknowledging: true,
  greeting: undefined,
  path: (uid) => `/ws?uid=${uid}`,
  reply: () => '',
  join: (room) => `{"type":"join","id":"j","room":"${room}"}`,
  template: (address, padding) => ['{"type":"send","id":"', `",${targetOf(address)},"data":"`, `${padding}"}`],
  hear,
  ackAt: (bytes, from, end) => {
    if (bytes[from + TYPE_AT] === S) return from + SENT_ID_AT;
    const at = bytes.indexOf(ERROR_ID, from);
    return at >= 0 && at < end ? at + ERROR_ID.length : -1;
  },
  ackOf: (bytes, numberAt) => {
    const letter = bytes[numberAt + CONV_AFTER];
    return letter === D ? 'direct' : letter === R ? 'room' : 'all';
  },
};

/** message · sent, synced · error · joined. Whatever else there is (welcome, receipt, truncated …) is no load's business. */
function hear(bytes: Buffer, from: number): Heard {
  switch (bytes[from + TYPE_AT]) {
    case M:
      return HEARD.message;
    case S:
      return bytes[from + TYPE_AT + 1] === Y ? HEARD.ready : HEARD.ack;
    case E:
      return HEARD.refusal;
    case J:
      return HEARD.joined;
    default:
      return HEARD.nothing;
  }
}
