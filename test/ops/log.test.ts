import { describe, expect, test, vi } from 'vitest';
import { createLog } from '../../src/ops/log.js';
import { createSampler } from '../../src/ops/sampler.js';

const SECRET = 'a "quoted" secret of thirty-two bytes';
const TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJBIn0.c2lnbmF0dXJl';

function logged(level: 'info' | 'debug' = 'info') {
  const lines: string[] = [];
  const log = createLog(
    {
      logLevel: level,
      nodeId: 'n1',
      jwtSecret: SECRET,
      serverKey: undefined,
      redisUrl: 'redis://user:p%40ssword1@host:6379',
    },
    { write: (line) => void lines.push(line) },
  );
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown> };
}

describe('the log', () => {
  test('is one JSON object a line, with level, time, node and message', () => {
    const { log, lines, last } = logged();
    log.info({ conn: 'c1' }, 'opened');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^\{.*\}\n$/);
    expect(last()).toMatchObject({ level: 'info', node: 'n1', conn: 'c1', msg: 'opened' });
    expect(last().time).toMatch(/^\d{4}-\d\d-\d\dT/);
  });

  test('leaves out what is below its level', () => {
    const { log, lines } = logged();
    log.debug('detail');
    expect(lines).toEqual([]);
  });

  test.each(['token', 'authorization', 'query', 'url', 'body', 'data', 'password'])(
    'never shows a field named %s, two levels down either',
    (name) => {
      const { log, lines } = logged();
      log.info({ [name]: 'precious', a: { [name]: 'precious', b: { [name]: { deep: 'precious' } } } }, 'x');
      expect(lines[0]).not.toContain('precious');
    },
  );

  test.each([
    ['a signed token', `bad token ${TOKEN}`],
    ['a bearer header', `Authorization: Bearer ${TOKEN.replace('eyJ', 'abc')}`],
    ['a query', `GET /ws?token=${TOKEN.replace('eyJ', 'abc')}&ack=manual`],
    ['the node’s own key', `key ${SECRET} refused`],
    ['the password of Redis', 'connect redis://user:p%40ssword1@host failed'],
    ['the password of Redis, decoded', 'AUTH p@ssword1 failed'],
  ])('never shows %s, in a message or in an error', (_, text) => {
    const { log, lines } = logged();
    log.error({ err: new Error(text) }, text);
    const shown = JSON.stringify(lines);
    for (const secret of ['eyJzdWIi', 'abchbGci', 'thirty-two', 'p%40ss', 'p@ss']) expect(shown).not.toContain(secret);
    expect(() => JSON.parse(lines[0] ?? '')).not.toThrow();
  });
});

describe('a warning that clients can repeat', () => {
  test('is one line a second and kind, and the next one counts those between', () => {
    vi.useFakeTimers();
    const { log, lines, last } = logged();
    const sampler = createSampler(log);
    for (let i = 0; i < 1_000; i++) sampler.warn('bad_frame', { conn: `c${i}` }, 'not JSON');
    sampler.warn('bad_token', {}, 'expired');
    expect(lines).toHaveLength(2);
    vi.advanceTimersByTime(1_000);
    expect(lines).toHaveLength(3);
    expect(last()).toMatchObject({ kind: 'bad_frame', suppressed: 999, conn: 'c999' });
    vi.advanceTimersByTime(10_000);
    expect(lines).toHaveLength(3);
    sampler.warn('bad_frame', {}, 'not JSON');
    expect(lines).toHaveLength(4);
    vi.useRealTimers();
  });

  test('is still counted when the node ends', () => {
    const { log, last, lines } = logged();
    const sampler = createSampler(log);
    for (let i = 0; i < 3; i++) sampler.warn('bad_frame', {}, 'not JSON');
    sampler.flush();
    expect(last()).toMatchObject({ suppressed: 2 });
    sampler.flush();
    expect(lines).toHaveLength(2);
  });
});
