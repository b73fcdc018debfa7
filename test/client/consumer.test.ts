/** The built client as somebody's own program uses it: by the package's name, in a Node without a WebSocket of its own. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type NodeProcess, startNode } from '../support/process.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
let node: NodeProcess;

beforeAll(async () => {
  node = await startNode({});
});

afterAll(() => node.kill());

/** Runs a program that has the client, and returns what it printed, as JSON. */
async function program(body: string): Promise<unknown> {
  const source = `
    import { Client } from 'skein/client';
    ${body}
  `;
  const bare = process.allowedNodeEnvironmentFlags.has('--experimental-websocket')
    ? ['--no-experimental-websocket']
    : [];
  const { stdout } = await run(process.execPath, [...bare, '--input-type=module', '--eval', source, node.url], {
    cwd: root,
    timeout: 20_000,
  });
  return JSON.parse(stdout);
}

const TALK = (options: string, who: string): string => `
  const url = process.argv[1];
  const alice = new Client({ url, uid: 'alice-${who}'${options} });
  const bob = new Client({ url, uid: 'bob-${who}'${options} });
  const heard = new Promise((resolve) => bob.on('message', ({ data, sender }) => resolve({ data, sender })));
  alice.connect();
  bob.connect();
  await alice.send({ receiver: 'bob-${who}', data: 'hello' });
  const message = await heard;
  const { conversations } = await bob.conversations();
  console.log(JSON.stringify({
    own: typeof globalThis.WebSocket, transport: bob.status.transport, ...message, unread: conversations[0].unread,
  }));
  await Promise.all([alice.close(), bob.close()]);
`;

test('it talks by server-sent events where there is no WebSocket, and the program ends when it is closed', async () => {
  expect(await program(TALK('', 'sse'))).toEqual({
    own: 'undefined',
    transport: 'sse',
    sender: 'alice-sse',
    data: 'hello',
    unread: 1,
  });
});

test('it talks by the WebSocket that it is given', async () => {
  expect(await program(`import WebSocket from 'ws'; ${TALK(', WebSocket', 'ws')}`)).toMatchObject({
    transport: 'websocket',
    data: 'hello',
  });
});

test('it talks by polls where it is told to', async () => {
  expect(await program(TALK(", transports: ['poll']", 'poll'))).toMatchObject({ transport: 'poll', data: 'hello' });
});
