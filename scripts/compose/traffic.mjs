// People who talk all the time, each pair over a transport of its own, and a ledger of what they heard.
import { WebSocket } from 'ws';
import { Client } from '../../dist/client/index.js';
import { until } from './until.mjs';

const TRANSPORTS = ['websocket', 'sse', 'poll'];
const EVERY_MS = 100;

class Pair {
  sent = 0;
  heard = [];
  /** Milliseconds between two messages heard: the longest one. */
  longestSilence = 0;
  lastHeard = performance.now();

  constructor(url, transport, number) {
    this.transport = transport;
    const options = { url, transports: [transport], WebSocket };
    this.receiver = `${transport}-listener-${number}`;
    this.speaker = new Client({ ...options, uid: `${transport}-speaker-${number}` });
    this.listener = new Client({ ...options, uid: this.receiver });
    this.listener.on('message', ({ data }) => this.hears(data));
    this.stored = [];
  }

  hears(data) {
    const now = performance.now();
    this.longestSilence = Math.max(this.longestSilence, now - this.lastHeard);
    this.lastHeard = now;
    this.heard.push(data);
  }

  begin() {
    this.listener.connect();
    this.speaker.connect();
    this.timer = setInterval(
      () => this.stored.push(this.speaker.send({ receiver: this.receiver, data: this.sent++ })),
      EVERY_MS,
    );
  }

  /** What is wrong with what was heard so far; every message once and in order is right. */
  get faults() {
    return this.heard.flatMap((data, index) => (data === index ? [] : [`heard ${data} in place ${index}`])).slice(0, 3);
  }

  async end() {
    clearInterval(this.timer);
    await Promise.all(this.stored);
    await until(() => this.heard.length >= this.sent, `${this.transport}: ${this.sent} messages heard`, 30_000);
    await Promise.all([this.speaker.close(), this.listener.close()]);
  }
}

export class Traffic {
  constructor(url) {
    this.pairs = TRANSPORTS.map((transport, index) => new Pair(url, transport, index));
  }

  async begin() {
    for (const pair of this.pairs) pair.begin();
    await this.goesOn();
  }

  /** Waits until what every pair sends now is heard, and throws if anything was lost, doubled or out of order. */
  async goesOn() {
    const goals = this.pairs.map(({ sent }) => sent + 5);
    const isHeard = () => this.pairs.every(({ heard }, index) => heard.length >= goals[index]);
    const state = () =>
      this.pairs.map(({ transport, sent, heard }) => `${transport} ${heard.length} of ${sent}`).join(', ');
    await until(isHeard, () => `everybody to hear what is said now (${state()})`, 60_000);
    this.check();
  }

  check() {
    const faults = this.pairs.flatMap((pair) => pair.faults.map((fault) => `${pair.transport}: ${fault}`));
    if (faults.length > 0) throw new Error(faults.join('; '));
  }

  /** The longest silence of any pair since this was asked last, in milliseconds. */
  takeSilence() {
    const silences = this.pairs.map((pair) => {
      const { longestSilence } = pair;
      pair.longestSilence = 0;
      return `${pair.transport} ${Math.round(longestSilence)} ms`;
    });
    return silences.join(', ');
  }

  async end() {
    await Promise.all(this.pairs.map((pair) => pair.end()));
    this.check();
    return this.pairs.map(({ transport, heard }) => `${transport} ${heard.length}`).join(', ');
  }
}
