import { describe, expect, test } from 'vitest';
import { http } from '../support/http.js';
import { SHAPES, townFor } from '../support/town.js';
import { until } from '../support/until.js';

describe.each(SHAPES)('looking after %s', (_shape, plan) => {
  const t = townFor(plan);

  const metrics = async (node: number): Promise<string> => {
    const answer = await http(`${t.node(node).metricsUrl}/metrics`);
    expect(answer.status).toBe(200);
    return answer.text;
  };

  test('metrics are on the metrics port only', async () => {
    expect((await t.asks(1, '/metrics')).status).toBe(404);
    expect(await metrics(1)).toContain('skein_');
    expect((await http(`${t.node(1).metricsUrl}/v1/messages?uid=a&wait=0`)).status).toBe(404);
  });

  test('every metric begins with skein_ and says what it is', async () => {
    const text = await metrics(1);
    const names = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(names.filter((line) => !line.startsWith('skein_'))).toEqual([]);
    for (const line of text.split('\n').filter((it) => it.startsWith('# HELP'))) expect(line).toMatch(/^# HELP \S+ \S/);
  });

  test('messages count, and no name, token or word of theirs is in metrics or logs', async () => {
    const alice = await t.user('alice-in-metrics').comesTo(1);
    const bob = await t.user('bob-in-metrics').comesTo(2);
    const before = await metrics(1);
    await alice.says(bob, 'unspeakable-words');
    await bob.hears('unspeakable-words');
    await until(async () => (await metrics(1)) !== before, 'the metrics to move');
    for (const node of t.nodes) {
      const text = await http(`${node.metricsUrl}/metrics`).then((answer) => answer.text);
      for (const secret of [alice.uid, bob.uid, 'unspeakable-words']) expect(text).not.toContain(secret);
      expect(node.program.printed.join('\n')).not.toContain('unspeakable-words');
    }
  });

  test('it is alive and ready, and nobody needs a name to ask', async () => {
    expect((await t.asks(1, '/healthz')).status).toBe(200);
    const ready = await t.asks<{ readonly sockets?: unknown }>(1, '/readyz');
    expect(ready.status).toBe(200);
    expect(ready.body).toBeTypeOf('object');
  });

  test('the log is one JSON object a line with a level and a time', () => {
    for (const node of t.nodes) {
      expect(node.program.logs.length).toBeGreaterThan(0);
      for (const line of node.program.logs)
        expect(line).toMatchObject({ level: expect.anything(), time: expect.anything() });
    }
  });

  test('the page is at /, and what is not there is 404', async () => {
    const page = await t.asks(1, '/');
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toMatch(/^text\/html/);
    for (const path of ['/nothing', '/../package.json', '/%2e%2e/package.json', '/.git/config']) {
      expect((await t.asks(1, path)).status).toBe(404);
    }
  });

  test('GET /ws without an upgrade is an answer, not a hang', async () => {
    const answer = await t.asks(1, '/ws?uid=a');
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
  });
});
