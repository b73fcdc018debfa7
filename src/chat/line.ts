/** One client's connection as the domain sees it: a WebSocket on either adapter, or a stream of server-sent events. */

export type Written =
  /** With the kernel, or corked to go out together. */
  | 'sent'
  /** Accepted, waiting in this process for the kernel to take it. */
  | 'buffered'
  /** Not accepted: it will never arrive. */
  | 'dropped';

export interface Line {
  /** Which kind of connection it is, for the metrics. */
  readonly transport: 'websocket' | 'sse';
  /** Whether what is published to a topic reaches it; where not, it is written everything singly. */
  readonly broadcasts: boolean;
  /** Writes one frame. On a closed line: `dropped`, never an exception. */
  send(frame: string): Written;
  /** Bytes that wait in this process. */
  buffered(): number;
  /** Runs work whose writes go out in one piece. */
  cork(work: () => void): void;
  /** Sends a WebSocket ping; the pong brings the payload (at most 125 bytes of ASCII) back. */
  ping(payload: string): void;
  /** Ends the connection after what is written, with a WebSocket close code. Again, or on a closed line: nothing. */
  close(code: number, reason: string): void;
  /** Frames published to the topic reach this line until it unsubscribes or closes. */
  subscribe(topic: string): void;
  unsubscribe(topic: string): void;
}

/** All lines of a node that subscribed to a topic. */
export interface Switchboard {
  /**
   * Writes a frame to every subscriber but `except`. A subscriber whose buffer is full misses it, and is closed with
   * 1013 at the end of the turn, so that a gap never goes unnoticed; see Line.buffered.
   */
  publish(topic: string, frame: string, except?: Line): void;
}
