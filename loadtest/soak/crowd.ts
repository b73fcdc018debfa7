/** Users who come, talk for a while, and go for good, each followed by somebody new. */
import { WebSocket } from 'ws';

/** Sends of a user that wait for their answers at the same time. */
const WINDOW = 8;
const ROOMS = 10;

export class Crowd {
  /** Answered with `sent`. */
  sent = 0;
  refused = 0;
  /** Users who came. */
  born = 0;
  private readonly here: string[] = [];
  private readonly gone: string[] = [];

  constructor(
    private readonly port: number,
    private readonly plan: { readonly people: number; readonly messages: number; readonly life: number },
  ) {}

  /** Resolves when all is said and everybody has left. */
  async talks(): Promise<void> {
    await Promise.all(Array.from({ length: this.plan.people }, (_, place) => this.fills(place)));
  }

  private async fills(place: number): Promise<void> {
    while (this.sent < this.plan.messages) {
      const uid = `u${this.born++}`;
      this.here[place] = uid;
      // Who is thrown out comes back, to leave the room: membership outlives connections.
      for (let said = 0; !(await this.lives(uid, `r${place % ROOMS}`, said)); ) said = this.plan.life;
      this.gone[place] = uid;
    }
  }

  /** From the so manieth message on. Resolves with whether they left the room. */
  private lives(uid: string, room: string, from: number): Promise<boolean> {
    const url = `ws://127.0.0.1:${this.port}/ws?uid=${uid}`;
    const socket = new WebSocket(url, { perMessageDeflate: false });
    let [said, answered, hasLeft] = [from, from, false];
    const says = (): void => {
      const id = `${said++}`;
      socket.send(JSON.stringify({ type: 'send', id, ...this.whom(said, room), data: `${id} ${'x'.repeat(100)}` }));
    };
    const asks = (): void => socket.send(JSON.stringify({ type: said === 0 ? 'join' : 'leave', room }));
    const hears = ({
      type,
      id,
      retry,
    }: {
      readonly type: string;
      readonly id?: string;
      readonly retry?: number;
    }): void => {
      // Only coming and going have no id: when Redis is too slow they are asked again, and may have taken place.
      if (type === 'error' && id === undefined && retry !== undefined) setTimeout(asks, retry);
      const isOut = type === 'left' || (type === 'error' && id === undefined && retry === undefined);
      if (type === 'joined') for (let n = 0; n < WINDOW; n++) says();
      if (isOut) {
        hasLeft = true;
        socket.close(1000);
      }
      if ((type !== 'sent' && type !== 'error') || id === undefined) return;
      if (type === 'sent') this.sent++;
      else this.refused++;
      answered++;
      if (said < this.plan.life) says();
      else if (answered === said) asks();
    };
    return new Promise((resolve, reject) => {
      socket.on('message', (bytes) => hears(JSON.parse(bytes.toString())));
      socket.once('open', () => asks());
      socket.once('close', () => resolve(hasLeft));
      socket.once('error', reject);
    });
  }

  /** Mostly somebody who is here, now and then a room, everybody, somebody gone, somebody who never was. */
  private whom(said: number, room: string): object {
    if (said % 8 === 0) return { room };
    if (said % 50 === 1) return { broadcast: true };
    if (said % 50 === 2) return { receiver: `never${this.born}` };
    const among = said % 20 === 3 && this.gone.length > 0 ? this.gone : this.here;
    return { receiver: among[Math.floor(Math.random() * among.length)] ?? 'u0' };
  }
}
