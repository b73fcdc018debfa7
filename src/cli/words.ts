import { STATE, type Status } from '../client/index.js';

const clock = (ts: number): string => new Date(ts).toLocaleTimeString('en-GB');

/** The state of the connection in a word and its number, as a WebSocket numbers them. */
export function wordsOf(status: Status): string {
  switch (status.state) {
    case STATE.connecting:
      return 'connecting 0';
    case STATE.open:
      return status.transport === 'websocket' ? 'open 1' : `open 1 by ${status.transport}`;
    case STATE.closing:
      return 'closing 2';
    case STATE.closed:
      return status.next === undefined ? 'closed 3' : `closed 3, next try at ${clock(status.next)}`;
  }
}
