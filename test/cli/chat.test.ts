import { describe, expect, test } from 'vitest';
import { freePort } from '../../loadtest/rig/programs.js';
import { startNode } from '../support/process.js';
import { townFor } from '../support/town.js';
import { Command, run } from './command.js';

const t = townFor({ nodes: 2, redis: true });
let born = 0;
const named = (name: string): string => `${name}.${++born}`;
const chat = (uid: string, ...words: readonly string[]) =>
  new Command(['chat', '--url', t.node(1).url, '--uid', uid, ...words]);
const there = (uid: string, ...words: readonly string[]) =>
  new Command(['chat', '--url', t.node(2).url, '--uid', uid, ...words]);
/** What is in somebody's box, as text. */
async function received(uid: string): Promise<readonly unknown[]> {
  const { out } = await run(['tail', '--url', t.node(2).url, '--uid', uid, '--no-follow']);
  const frames = out.split('\n').filter((line) => line !== '');
  return frames.map((line) => (JSON.parse(line) as { readonly data?: unknown }).data);
}

describe('skein chat through a pipe', () => {
  test('sends every line, and ends with 0 when all are stored, in order', async () => {
    const [a, b] = [named('a'), named('b')];
    // Only a hundred may wait for somebody who was never seen.
    await received(b);
    const texts = Array.from({ length: 1_000 }, (_, i) => `line ${i}`);
    const { code } = await chat(a, '--to', b).end(`${texts.join('\n')}\n\n`);
    expect(code).toBe(0);
    expect(await received(b)).toEqual(texts);
  });

  test('an unknown command is a text, a known one is obeyed, and --no-commands makes all of them texts', async () => {
    const [a, b] = [named('a'), named('b')];
    const obeyed = await chat(a, '--to', b).end('/etc/passwd\n//who\n/help\n/quit\nnever\n');
    expect(obeyed).toMatchObject({ code: 0, out: expect.stringContaining('/history [number]') });
    expect(await received(b)).toEqual(['/etc/passwd', '/who']);
    await chat(a, '--to', b, '--no-commands').end('/quit\nand on\n');
    expect(await received(b)).toEqual(['/quit', 'and on']);
  });

  test('says what was refused and why, and ends with 1', async () => {
    const [a, b] = [named('a'), named('b')];
    const ended = await chat(a, '--to', b).end(`fine\n${'x'.repeat(70_000)}\nfine, too\n`);
    expect(ended.code).toBe(1);
    expect(ended.out).toMatch(/^! not sent: .*: too_large: /m);
    expect(await received(b)).toEqual(['fine', 'fine, too']);
  });

  test('a command that fails ends it, so that what follows does not go to the wrong one', async () => {
    const [a, b] = [named('a'), named('b')];
    const ended = await chat(a, '--to', b).end('for b\n/to nobody in form\nnot for b\n');
    expect(ended).toMatchObject({ code: 1, err: expect.stringContaining('error: bad_request: not a user name') });
    expect(await received(b)).toEqual(['for b']);
    expect((await chat(a).end('to whom?\n')).code).toBe(1);
  });

  test('a room that does not let one in ends it with 1', async () => {
    const [a, b, room] = [named('a'), named('b'), named('den')];
    await t.asks(1, `/v1/rooms?uid=${a}`, { body: { room, private: true } });
    const ended = await chat(b, '--room', room).end('hello?\n');
    expect(ended).toMatchObject({ code: 1, err: expect.stringMatching(/error: (forbidden|not_found|not_member): /) });
  });

  test('a server that goes away for good ends it with 1, and with the number of what is not stored', async () => {
    const node = await startNode();
    const talking = new Command(['chat', '--url', node.url, '--uid', 'a', '--to', 'b', '--timeout', '1']);
    await talking.shows('is offline');
    await node.kill();
    expect(await talking.end('one\ntwo\n')).toMatchObject({
      code: 1,
      err: expect.stringContaining('2 messages were not stored'),
    });
  });

  test('no server, or none that answers, ends it with 1', async () => {
    const ended = await run([
      'chat',
      '--url',
      `http://127.0.0.1:${await freePort()}`,
      '--uid',
      'a',
      '--to',
      'b',
      '--timeout',
      '1',
    ]);
    expect(ended).toMatchObject({ code: 1, err: expect.stringContaining('ECONNREFUSED') });
  });

  test.each([
    [['--to', 'b', '--room', 'tea']],
    [['--to', 'b b']],
    [['--history', '0']],
    [['--to', 'b', '--device', 'x y']],
  ])('%j is asked wrongly', async (words) => {
    expect((await chat('a', ...words).end()).code).toBe(2);
  });

  test('Ctrl-C ends it with 130', async () => {
    const talking = chat(named('a'), '--to', named('b'));
    await talking.shows('is offline');
    talking.child.kill('SIGINT');
    expect((await talking.over()).code).toBe(130);
  });
});

describe('two people who chat', () => {
  test('see each other’s messages, presence, and how far their own came', async () => {
    const [a, b] = [named('a'), named('b')];
    const ann = chat(a, '--to', b);
    await ann.shows(`${b} is offline`);
    const bob = there(b, '--to', a);
    await bob.shows(`${a} is online`);
    await ann.shows(`${b} is online`);
    ann.type('hello\n');
    await bob.shows(`${a}: hello`);
    await ann.shows(`✓   ${a}: hello`);
    await ann.shows('✓✓ delivered');
    bob.type('hi\n');
    await ann.shows(`${b}: hi`);
    await ann.shows('✓✓✓ read');
    expect(await bob.end()).toMatchObject({ code: 0, err: 'connection: connecting 0\nconnection: open 1\n' });
    await ann.shows(`${b} is offline, last seen`);
    expect((await ann.end()).code).toBe(0);
  });

  test('find what was said before, once, and can go further back', async () => {
    const [a, b] = [named('a'), named('b')];
    await chat(a, '--to', b).end('one\ntwo\nthree\n');
    const bob = there(b, '--to', a, '--history', '2');
    await bob.shows(`${a}: three`);
    expect(bob.out).not.toContain(`${a}: one`);
    bob.type('/history\n');
    await bob.shows('earlier, from the beginning:');
    await bob.shows(`${a}: one`);
    const { out } = await bob.end();
    expect(out.match(/: three$/gm)).toHaveLength(1);
  });

  test('in a room see who is there, who comes, and hear of messages elsewhere', async () => {
    const [a, b, c, room] = [named('a'), named('b'), named('c'), named('tea')];
    const ann = chat(a, '--room', room);
    await ann.shows('created the room');
    const bob = there(b, '--room', room);
    await ann.shows(`${b} joined`);
    await bob.shows(`room ${room}`);
    ann.type('/who\n');
    await ann.shows(`● ${a} (owner)`);
    await ann.shows(`● ${b}`);
    await run(['send', '--url', t.node(2).url, '--uid', c, '--to', a, 'psst']);
    await ann.shows(`[${c}] ${c}: psst`);
    ann.type(`/to ${c}\n`);
    await ann.shows(`— ${c}\n`);
    ann.type('what?\n/list\n'); // in this order
    await ann.shows(new RegExp(`${c}: \\d\\d:\\d\\d ${a} “what\\?”`));
    expect(await received(c)).toContain('what?');
    expect((await ann.end()).code).toBe(0);
    expect((await bob.end()).code).toBe(0);
  });

  test('can’t send each other’s terminals anything but text', async () => {
    const [a, b] = [named('a'), named('b')];
    const bob = there(b, '--to', a);
    await bob.shows('is offline');
    const evil = '\x1b]0;owned\x07\x1b[2J\u009b31m\u202eexe.gpj\u2066\r12:00 me: I agree\n12:00 me: indeed';
    for (const data of [evil, { text: evil }, { [evil]: evil }, [evil]]) {
      await t.asks(1, `/v1/messages?uid=${a}`, { body: { receiver: b, data } });
    }
    await t.asks(1, `/v1/messages?uid=${a}`, { body: { receiver: b, data: 'the end' } });
    await bob.shows(`${a}: the end`);
    const { out } = await bob.end();
    expect(out).toContain('      │ 12:00 me: indeed');
    expect(out.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  });
});
