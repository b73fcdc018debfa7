/** Waiting on sockets without looking at a clock, for there are hundreds of cases; and a bare TCP connection. */
import { connect, type Socket } from 'node:net';
import type { Connection } from '../support/client.js';
import type { Frame } from '../support/frame.js';

interface Emitter {
  on(event: string, listener: () => void): unknown;
  off(event: string, listener: () => void): unknown;
}

const EVENTS = ['message', 'data', 'connect', 'close'] as const;
const DEADLINE_MS = 16_000;

/** Waits until something is there, looking for it whenever the socket tells of anything. */
export function noticed<T>(socket: Emitter, look: () => T | undefined | false, what: () => string): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      for (const event of EVENTS) socket.off(event, check);
    };
    const check = (): void => {
      const found = look();
      if (found === undefined || found === false) return;
      stop();
      resolve(found);
    };
    const timer = setTimeout(() => {
      stop();
      reject(new Error(`waited in vain for ${what()}`));
    }, DEADLINE_MS);
    for (const event of EVENTS) socket.on(event, check);
    check();
  });
}

/** Waits for a frame on a connection, of those that came already and those that will. */
export function heard(line: Connection, matches: (frame: Frame) => boolean, what: string): Promise<Frame> {
  const told = (): string => `${what}; the last frames were ${line.texts.slice(-3).join(' ').slice(0, 600)}`;
  return noticed(line.socket, () => line.frames.find(matches), told);
}

let settlings = 0;

/** Resolves when the server has handled everything that was sent before. */
export async function settled(line: Connection): Promise<void> {
  const id = `settle ${++settlings}`;
  line.send({ type: 'ping', id });
  await heard(line, (frame) => frame.id === id, 'a pong');
}

/** A bare TCP connection; a reset is an end like any other. */
export class RawSocket {
  text = '';
  isClosed = false;

  private constructor(private readonly socket: Socket) {
    socket.on('data', (chunk) => {
      this.text += chunk.toString('latin1');
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.isClosed = true;
    });
  }

  static async to(port: number): Promise<RawSocket> {
    const raw = new RawSocket(connect(port, '127.0.0.1'));
    await raw.shows(() => raw.socket.readyState === 'open' || raw.isClosed, 'a TCP connection');
    return raw;
  }

  /** A text is written as Latin-1, so that any byte can be said. */
  write(data: string | Uint8Array): this {
    if (this.socket.writable) this.socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data);
    return this;
  }

  shows(claim: () => boolean, what: string): Promise<boolean> {
    return noticed(this.socket, claim, () => `${what}; there is ${JSON.stringify(this.text.slice(0, 200))}`);
  }

  /** The status of the first answer, 0 where the connection ended without one. */
  async status(): Promise<number> {
    await this.shows(() => this.isClosed || this.text.includes('\r\n\r\n'), 'an answer');
    return Number(/^HTTP\/1\.1 (\d{3}) /.exec(this.text)?.[1] ?? 0);
  }

  /** So much waits to be written that more would only fill this process. */
  get isFull(): boolean {
    return this.socket.writableLength > 1_000_000;
  }

  /** Reads nothing more. */
  pause(): void {
    this.socket.pause();
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  end(): void {
    this.socket.destroy();
  }
}
