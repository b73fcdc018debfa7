/** Nodes and clients for tests, closed when the test is over, and what they saw. */
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { Client, type ClientOptions, type MessageFrame, type Status } from '../../../src/client/index.js';
import { TestNode } from './test-node.js';

export async function testNode(): Promise<TestNode> {
  const node = await TestNode.start();
  onTestFinished(() => node.close());
  return node;
}

export type Person = {
  readonly client: Client;
  /** `data` of the messages that the application was handed, in order. */
  readonly texts: string[];
  readonly messages: MessageFrame[];
  readonly states: Status[];
};

type Options = Partial<ClientOptions> & { readonly url: string };

/** Quick enough for tests: a reconnect takes at most 50 ms. */
const QUICK = { backoff: { base: 20, cap: 50 }, WebSocket } as const;

/** Somebody with a client that is not connected yet. */
export function person(uid: string, options: Options): Person {
  const who = 'token' in options || 'getToken' in options ? {} : { uid };
  const client = new Client({ ...QUICK, ...who, ...options } as ClientOptions);
  const seen: Person = { client, texts: [], messages: [], states: [] };
  client.on('message', (message) => {
    seen.messages.push(message);
    seen.texts.push(String(message.data));
  });
  client.on('state', (status) => seen.states.push(status));
  onTestFinished(() => client.close());
  return seen;
}

/** Somebody who is connected, as soon as the promise resolves. */
export async function online(uid: string, options: Options): Promise<Person> {
  const someone = person(uid, options);
  someone.client.connect();
  await until(() => someone.client.state === 1);
  return someone;
}

/** Resolves when the claim holds; fails with its text after some seconds. */
export async function until(claim: () => unknown, within = 8_000): Promise<void> {
  const deadline = Date.now() + within;
  while (!(await claim())) {
    if (Date.now() > deadline) throw new Error(`never came true: ${claim}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export const numbers = (count: number, from = 1): string[] => Array.from({ length: count }, (_, i) => String(i + from));
