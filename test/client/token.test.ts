import { expect, test } from 'vitest';
import { online, person, testNode, until } from './support/scene.js';

/** A token whose claims are readable, for timers; the test node takes its text for the name of its owner. */
function tokenThatEnds(inSeconds: number, text = 'x'): string {
  const claims = { sub: 'alice', exp: Date.now() / 1_000 + inSeconds, text };
  return `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`;
}

test('a token is renewed on the live line before it ends', async () => {
  const node = await testNode();
  node.onToken = () => 'alice';
  let asked = 0;
  const alice = await online('alice', {
    url: node.url,
    getToken: async () => tokenThatEnds(++asked === 1 ? 2 : 3_600, `t${asked}`),
  });
  await until(() => node.tokens.length === 2);
  expect(asked).toBe(2);
  expect(node.connections).toBe(1);
  expect(alice.client.state).toBe(1);
});

test('a token that ran out is replaced once, and the line comes back', async () => {
  const node = await testNode();
  let asked = 0;
  node.onToken = (token) => (token === 'old' ? undefined : token);
  const alice = await online('alice', { url: node.url, getToken: async () => (++asked === 1 ? 'old' : 'alice') });
  expect(asked).toBe(2);
  expect(alice.client.uid).toBe('alice');
});

test('a token that is refused twice ends it, and so does a getToken that has none', async () => {
  const node = await testNode();
  node.onToken = () => undefined;
  const alice = person('alice', { url: node.url, getToken: async () => 'bad' });
  const bob = person('bob', { url: node.url, getToken: async () => null });
  const carol = person('carol', { url: node.url, token: 'bad' });
  for (const { client, states } of [alice, bob, carol]) {
    client.connect();
    await until(() => states.some((status) => status.state === 3 && status.next === undefined));
    expect(client.status).toMatchObject({ state: 3, code: 4401 });
  }
  expect(node.tokens.filter((token) => token === 'bad')).toHaveLength(3);
});
