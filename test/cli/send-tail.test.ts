import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { freePort } from '../../loadtest/rig/programs.js';
import { townFor } from '../support/town.js';
import { until } from '../support/until.js';
import { Command, run } from './command.js';

const t = townFor({ nodes: 1, redis: false });
let born = 0;
const named = (name: string): string => `${name}.${++born}`;
const url = (): string => t.node(1).url;
const send = (from: string, to: string, ...words: readonly string[]) =>
  run(['send', '--url', url(), '--uid', from, '--to', to, ...words]);
const tail = (uid: string, ...words: readonly string[]) =>
  new Command(['tail', '--url', url(), '--uid', uid, ...words]);
const dataIn = (lines: readonly string[]): readonly unknown[] =>
  lines.map((line) => (JSON.parse(line) as { readonly data?: unknown }).data);

describe('skein send', () => {
  test('ends with 0 when the message is stored, and tells where', async () => {
    const [a, b] = [named('a'), named('b')];
    const { code, out } = await send(a, b, 'hello', 'there');
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`^dm:${a}:${b} \\d{16}\n$`));
    const ended = await tail(b, '--no-follow').end();
    expect(dataIn(ended.out.trim().split('\n'))).toEqual(['hello there']);
  });

  test('takes its text from a pipe, several lines as one message', async () => {
    const [a, b] = [named('a'), named('b')];
    const sent = await run(['send', '--uid', a, '--to', b, '--json'], { SKEIN_URL: url(), input: 'one\ntwo\n' });
    expect(JSON.parse(sent.out)).toEqual({
      id: expect.any(String),
      conv: `dm:${a}:${b}`,
      seq: expect.any(Number),
      ts: expect.any(Number),
    });
    expect(dataIn((await tail(b, '--no-follow').end()).out.trim().split('\n'))).toEqual(['one\ntwo']);
  });

  test('stores once what is sent twice under one id', async () => {
    const [a, b] = [named('a'), named('b')];
    const first = await send(a, b, '--id', 'build-17', 'green');
    const second = await send(a, b, '--id', 'build-17', 'green');
    expect(second.out).toBe(first.out.replace('\n', ' dup\n'));
    expect((await tail(b, '--no-follow').end()).out.trim().split('\n')).toHaveLength(1);
  });

  test('takes words behind -- as they are, any JSON, and replies', async () => {
    const [a, b] = [named('a'), named('b')];
    await send(a, b, '--', '-x', '--yes', '007');
    await send(a, b, '--data', '{"a":[1,null]}');
    await send(a, b, '--reply', '5', 'so it is');
    const { out } = await tail(b, '--no-follow').end();
    expect(dataIn(out.trim().split('\n'))).toEqual(['-x --yes 007', { a: [1, null] }, { text: 'so it is', reply: 5 }]);
  });

  test('leaves what is pending for its sender alone, and does not look like somebody who is online', async () => {
    const [a, b] = [named('a'), named('b')];
    await send(b, a, 'read me');
    await send(a, b, 'later');
    const presence = await t.asks<{ presence: readonly object[] }>(1, `/v1/presence?uid=${b}&of=${a}`);
    expect(presence.body.presence).toEqual([{ uid: a, online: false, lastSeen: 0 }]);
    expect(dataIn((await tail(a, '--no-follow').end()).out.trim().split('\n'))).toContain('read me');
  });

  test.each([
    ['a room that one is no member of', ['--room', 'secret'], 1, /^error: not_(found|member): /],
    ['a name out of form', ['--to', 'B B'], 2, /not a user name/],
    ['nobody', [], 2, /to whom/],
    ['two at once', ['--to', 'B', '--all'], 2, /to whom/],
    ['the same flag twice', ['--to', 'B', '--to', 'C'], 2, /--to: give it once/],
    ['a word that it does not know', ['--to', 'B', '--loud'], 2, /Unknown argument: loud/],
    ['data that is not JSON', ['--to', 'B', '--data', '{'], 2, /--data: not JSON/],
  ])('to %s: says why on stderr', async (_, words, code, said) => {
    const ended = await run([
      'send',
      '--url',
      url(),
      '--uid',
      named('a'),
      ...words,
      ...(words.includes('--data') ? [] : ['hi']),
    ]);
    expect(ended).toMatchObject({ code, out: '' });
    expect(ended.err).toMatch(said);
  });

  test('with nothing to say, nobody to be, or no server: says so', async () => {
    const nothing = await run(['send', '--url', url(), '--uid', 'a', '--to', 'b']);
    expect(nothing).toMatchObject({ code: 2, err: expect.stringContaining('there is no message') });
    const nobody = await run(['send', '--url', url(), '--to', 'b', 'hi']);
    expect(nobody).toMatchObject({ code: 2, err: expect.stringContaining('who are you?') });
    const port = await freePort();
    const nowhere = await run([
      'send',
      '--url',
      `http://127.0.0.1:${port}`,
      '--timeout',
      '0.5',
      '--uid',
      'a',
      '--to',
      'b',
      'hi',
    ]);
    expect(nowhere).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^error: unavailable: no answer from .*ECONNREFUSED/),
    });
  });

  test('more than a message holds is too_large, from a pipe without an end, too', async () => {
    const big = await run(['send', '--url', url(), '--uid', 'a', '--to', 'b'], { input: 'x'.repeat(70_000) });
    expect(big).toMatchObject({ code: 1, err: expect.stringContaining('error: too_large') });
    const endless = new Command(['send', '--url', url(), '--uid', 'a', '--to', 'b']);
    endless.type('x'.repeat(2_000_000));
    expect(await endless.over()).toMatchObject({ code: 1, err: expect.stringContaining('error: too_large') });
  });

  test('waits for a server that is on its way, and stores once', async () => {
    const [a, b] = [named('a'), named('b')];
    const port = await freePort();
    const early = new Command([
      'send',
      '--url',
      `http://127.0.0.1:${port}`,
      '--uid',
      a,
      '--to',
      b,
      '--timeout',
      '20',
      'hi',
    ]);
    const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
    const node = spawn(process.execPath, [main], {
      env: { PATH: process.env.PATH ?? '', SKEIN_PORT: `${port}`, SKEIN_METRICS_PORT: '0' },
      stdio: 'ignore',
    });
    expect(await early.over()).toMatchObject({ code: 0, err: '' });
    node.kill('SIGKILL');
  });
});

describe('skein tail', () => {
  /** What others write needs no process of its own. Returns its place. */
  async function says(from: string, to: string, data: unknown, room = false): Promise<string> {
    const body = { ...(room ? { room: to } : { receiver: to }), data };
    const answer = await t.asks<{ seq: number }>(1, `/v1/messages?uid=${from}`, { body });
    expect(answer.status).toBe(200);
    return String(answer.body.seq);
  }

  test('prints a JSON object a line as messages arrive, and ends after as many as were asked for', async () => {
    const [a, b] = [named('a'), named('b')];
    const tailing = tail(b, '--count', '2');
    await says(a, b, 'one');
    await tailing.shows('"one"');
    await says(a, b, 'two');
    const { code, out } = await tailing.over();
    expect(code).toBe(0);
    expect(dataIn(out.trim().split('\n'))).toEqual(['one', 'two']);
  });

  test('what was written does not come again, what was not comes next time', async () => {
    const [a, b] = [named('a'), named('b')];
    for (const text of ['one', 'two', 'three']) await says(a, b, text);
    const rounds: unknown[] = [];
    for (let round = 0; round < 3; round++)
      rounds.push(...dataIn((await tail(b, '--count', '1').over()).out.trim().split('\n')));
    expect(rounds).toEqual(['one', 'two', 'three']);
    expect(await tail(b, '--no-follow').end()).toMatchObject({ code: 0, out: '' });
  });

  test('of one room prints that room, and leaves all else pending', async () => {
    const [a, b, room] = [named('a'), named('b'), named('tea')];
    expect((await t.asks(1, `/v1/rooms?uid=${a}`, { body: { room, members: [b] } })).status).toBe(201);
    await says(a, b, 'direct');
    await says(a, room, 'in the room', true);
    const inRoom = await tail(b, '--room', room, '--no-follow').end();
    expect(dataIn(inRoom.out.trim().split('\n'))).toContain('in the room');
    expect(inRoom.out).not.toContain('direct');
    expect(dataIn((await tail(b, '--no-follow').end()).out.trim().split('\n'))).toEqual(['direct']);
  });

  test('since a place, a time or an age prints what is there first, and each message once', async () => {
    const [a, b] = [named('a'), named('b')];
    const seqs: string[] = [];
    for (const text of ['one', 'two', 'three']) seqs.push(await says(a, b, text));
    const conv = `dm:${a}:${b}`;
    const after = await tail(b, '--conv', conv, '--since', seqs[0] ?? '', '--no-follow').end();
    expect(dataIn(after.out.trim().split('\n'))).toEqual(['two', 'three']);
    const young = await tail(b, '--since', '1h', '--no-follow').end();
    expect(dataIn(young.out.trim().split('\n'))).toEqual(['one', 'two', 'three']);
    const future = await tail(b, '--since', new Date(Date.now() + 60_000).toISOString(), '--no-follow').end();
    expect(future.out).toBe('');
  });

  test.each([
    ['--since', '17'],
    ['--since', 'yesterday'],
    ['--count', '0'],
    ['--conv', 'dm:b:a'],
    ['--timeout', '0'],
  ])('%s %s is asked wrongly', async (...words) => {
    expect((await tail('b', ...words).end()).code).toBe(2);
  });

  test('a reader that leaves ends it quietly, as head does', async () => {
    const [a, b] = [named('a'), named('b')];
    await says(a, b, 'one');
    const tailing = tail(b);
    await tailing.shows('"one"');
    tailing.child.stdout?.destroy();
    await says(a, b, 'two');
    expect(await tailing.over()).toMatchObject({ code: 0, err: '' });
    expect(dataIn((await tail(b, '--no-follow').end()).out.trim().split('\n'))).toEqual(['two']);
  });

  test('output that can’t be written is a failure, and what was not written comes again', async () => {
    const [a, b] = [named('a'), named('b')];
    await says(a, b, 'one');
    const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
    const shell = spawn('sh', [
      '-c',
      '"$0" "$1" tail --url "$2" --uid "$3" > /dev/full',
      process.execPath,
      program,
      url(),
      b,
    ]);
    expect(await new Promise((resolve) => shell.once('close', resolve))).toBe(1);
    expect(dataIn((await tail(b, '--no-follow').end()).out.trim().split('\n'))).toEqual(['one']);
  });

  test('Ctrl-C ends it with 130, SIGTERM with 143, and what it wrote is acknowledged', async () => {
    const [a, b] = [named('a'), named('b')];
    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      await says(a, b, signal);
      const tailing = tail(b);
      await tailing.shows(signal);
      tailing.child.kill(signal);
      expect(await tailing.over()).toMatchObject({ code, err: '' });
    }
    expect((await tail(b, '--no-follow').end()).out).toBe('');
  });

  test('no byte of what others write can steer the terminal', async () => {
    const [a, b] = [named('a'), named('b')];
    const evil = 'x\x1b]0;owned\x07\x9b2J\u202e\u200b\u2028\u007f\ud83d\ude00';
    await says(a, b, { text: evil });
    const { out } = await tail(b, '--no-follow').end();
    expect(out).toMatch(/^[\x20-\x7e\u{1f600}\n]+$/u);
    expect(dataIn(out.trim().split('\n'))).toEqual([{ text: evil }]);
  });

  test('a node that goes away and comes back is followed', async () => {
    const [a, b] = [named('a'), named('b')];
    const port = await freePort();
    const env = {
      PATH: process.env.PATH ?? '',
      SKEIN_PORT: `${port}`,
      SKEIN_METRICS_PORT: '0',
      SKEIN_DRAIN_SECONDS: '0',
    };
    const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
    const start = () => spawn(process.execPath, [main], { env, stdio: 'ignore' });
    const first = start();
    const there = `http://127.0.0.1:${port}`;
    const following = new Command(['tail', '--url', there, '--uid', b]);
    const say = (text: string) => run(['send', '--url', there, '--uid', a, '--to', b, text]);
    await say('before');
    await following.shows('before');
    first.kill('SIGKILL');
    const second = start();
    await until(() => following.err.includes('connected again'), 'the tail to be back', 20_000);
    await say('after');
    await following.shows('after');
    following.child.kill('SIGINT');
    await following.over();
    second.kill('SIGKILL');
  });
});
