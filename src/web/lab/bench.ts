/** One user with four devices, each on a transport of its own, and one more that sends to all of them. */
import { signal } from '@preact/signals';
import { Client, type Identity, type Json, type TransportName } from '../../client/index.js';
import { parseUid } from '../../protocol/index.js';
import { BASE, remembered, type Session } from '../model/session.js';
import { Meter } from './meter.js';

export type Way = 'short' | 'long' | 'sse' | 'websocket';

const WAYS: readonly (readonly [Way, TransportName, { readonly wait: number; readonly pause: number }])[] = [
  ['short', 'poll', { wait: 0, pause: 1_000 }],
  ['long', 'poll', { wait: 15, pause: 0 }],
  ['sse', 'sse', { wait: 15, pause: 0 }],
  ['websocket', 'websocket', { wait: 15, pause: 0 }],
];

export class Bench {
  readonly session: Session;
  readonly meters: readonly (readonly [Way, Meter])[];
  readonly #clients: readonly Client[];
  readonly #sender: Client;
  /** The server wants a token. */
  readonly isRefused = signal(false);
  #sent = 0;

  constructor() {
    this.session = labSession();
    this.meters = WAYS.map(([way]) => [way, new Meter()]);
    this.#clients = WAYS.map(([way, transport, poll], index) => {
      const meter = this.meters[index]![1];
      const client = new Client({
        ...this.#identity,
        url: BASE,
        device: `lab-${way}`,
        transports: [transport],
        poll,
        fetch: meter.fetch,
        WebSocket: meter.socketClass,
      });
      client.on('message', ({ data }) => {
        const sentAt = sentAtOf(data);
        if (sentAt !== undefined) meter.arrived(sentAt);
      });
      return client;
    });
    this.#sender = new Client({ ...this.#identity, url: BASE, device: 'lab-sender' });
    this.#sender.on('state', (status) => {
      if (status.state === 3 && status.code === 4401) this.isRefused.value = true;
    });
  }

  start(): void {
    for (const client of [...this.#clients, this.#sender]) client.connect();
  }

  /** One message, to all devices of this user. */
  send(): void {
    this.#sent++;
    const data = { text: `lab ${this.#sent}`, lab: PAGE, at: performance.now() };
    this.#sender.send({ receiver: this.session.uid, data });
  }

  get #identity(): Identity {
    return this.session.token === undefined ? { uid: this.session.uid } : { token: this.session.token };
  }
}

/** Only what this page sent tells a time by this page's clock. */
const PAGE = Math.random();

function sentAtOf(data: Json | undefined): number | undefined {
  const { lab, at } = (typeof data === 'object' && data !== null ? data : {}) as { lab?: unknown; at?: unknown };
  return lab === PAGE && typeof at === 'number' ? at : undefined;
}

/** In open mode somebody new, so that nobody's conversations fill with trials; else whoever is logged in. */
function labSession(): Session {
  const known = remembered();
  if (known?.token !== undefined) return known;
  return { uid: parseUid(`lab-${Math.random().toString(36).slice(2, 8)}`)! };
}
