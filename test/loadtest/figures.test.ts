import { describe, expect, test } from 'vitest';
import { HEARD } from '../../loadtest/dialects/dialect.js';
import { DIALECTS } from '../../loadtest/dialects/index.js';
import { chartOf } from '../../loadtest/report/chart.js';
import { rounded } from '../../loadtest/report/figures.js';
import { hottest } from '../../loadtest/report/profile.js';
import { ratiosOf, spreadOf } from '../../loadtest/report/statistics.js';
import { cpuSecondsIn, cpuSecondsOf, residentBytesOf } from '../../loadtest/rig/cost.js';
import { workBetween, workIn } from '../../loadtest/rig/redis.js';
import { REFERENCE_SPEED, readSpeed, scaled } from '../../loadtest/rig/speed.js';

describe('a process', () => {
  test('has its CPU time read, whatever its name is', () => {
    const fields = `S ${'0 '.repeat(10)}250 50 ${'0 '.repeat(30)}`;
    expect(cpuSecondsIn(`17 (a) b (c) ${fields}`)).toBe(3);
  });

  test('tells of itself what the operating system knows', () => {
    const before = cpuSecondsOf(process.pid);
    while (cpuSecondsOf(process.pid) < before + 0.02) readSpeed();
    expect(residentBytesOf(process.pid)).toBeGreaterThan(10 * 2 ** 20);
  });
});

test('a cost on a machine twice as fast counts double', () => {
  expect(scaled(10, 2 * REFERENCE_SPEED)).toBe(20);
});

test('a spread is the median with the lowest and the highest', () => {
  expect(spreadOf([3, 1, 2])).toEqual({ median: 2, low: 1, high: 3 });
  expect(spreadOf([4, 1])).toEqual({ median: 2.5, low: 1, high: 4 });
  expect(spreadOf([Number.NaN])).toBeUndefined();
});

test('a ratio compares what was measured in the same round', () => {
  expect(ratiosOf([1, 10, 3], [2, 10, 3])).toEqual({ median: 1, low: 0.5, high: 1 });
});

test('figures show what matters of a number', () => {
  expect([0.123, 1.26, 12.34, 45.6, 345.6, 1_234.5, undefined, Number.NaN].map(rounded)).toEqual([
    '0.12',
    '1.3',
    '12.3',
    '46',
    '346',
    '1,235',
    '–',
    '–',
  ]);
});

test('what Redis did is the difference of what it says', () => {
  const before = workIn('cmdstat_publish:calls=5,usec=50,x=1\r\n', 'total_net_input_bytes:100\r\n');
  const after = workIn(
    'cmdstat_publish:calls=7,usec=80,x=1\r\ncmdstat_script|load:calls=1,usec=9,x=1\r\n',
    'total_net_input_bytes:160\r\ntotal_net_output_bytes:8\r\n',
  );
  const { commands, bytesIn, bytesOut } = workBetween(before, after);
  expect([...commands]).toEqual([
    ['publish', { calls: 2, micros: 30 }],
    ['script|load', { calls: 1, micros: 9 }],
  ]);
  expect([bytesIn, bytesOut]).toEqual([60, 8]);
});

test('a profile tells functions by their own time, idle time left out', () => {
  const frame = (functionName: string) => ({ functionName, url: 'file:///x/dist/chat/a.js', lineNumber: 4 });
  const nodes = [
    { id: 1, callFrame: frame('work') },
    { id: 2, callFrame: { functionName: '(idle)', url: '', lineNumber: -1 } },
    { id: 3, callFrame: frame('rest') },
  ];
  const hot = hottest([{ nodes, samples: [1, 2, 3, 1], timeDeltas: [20, 900, 10, 10] }], 5);
  expect(hot).toEqual([
    { what: 'work dist/chat/a.js:5', share: 0.75 },
    { what: 'rest dist/chat/a.js:5', share: 0.25 },
  ]);
});

test('a chart names everybody, in well-formed XML', () => {
  const spread = { median: 2, low: 1, high: 3 };
  const svg = chartOf('a < b', [{ title: 'cost & more', bars: [{ label: 'x', spread, isOurs: true }] }]);
  expect(svg).toContain('cost &amp; more');
  expect(svg.match(/<rect /g)).toHaveLength(1);
  expect(svg).not.toMatch(/NaN|undefined/);
});

describe('frames are told apart', () => {
  const { skein, socketio, plain } = DIALECTS;
  test.each([
    [skein, '{"type":"message","conv":"dm:A:B"', HEARD.message],
    [skein, '{"type":"sent","id":"100000001"', HEARD.ack],
    [skein, '{"type":"synced"}', HEARD.ready],
    [skein, '{"type":"error","id":"100000001"', HEARD.refusal],
    [skein, '{"type":"joined","id":"j"', HEARD.joined],
    [skein, '{"type":"receipt","conv":"dm:A:B"', HEARD.nothing],
    [skein, '{"type":"welcome","uid":"A"', HEARD.nothing],
    [socketio, '0{"sid":"x"}', HEARD.question],
    [socketio, '2', HEARD.question],
    [socketio, '40{"sid":"x"}', HEARD.nothing],
    [socketio, '42["ready"]', HEARD.ready],
    [socketio, '42["message",{}]', HEARD.message],
    [plain, '{"ready":true}', HEARD.ready],
    [plain, '{"id":"1"}', HEARD.message],
  ])('%#: %s', (dialect, frame, heard) => {
    const bytes = Buffer.from(frame);
    expect(dialect.hear(bytes, 0, bytes.length)).toBe(heard);
  });

  test('an acknowledgement tells which message, and where it went', () => {
    const bytes = Buffer.from('{"type":"sent","id":"100000042","conv":"room:r","seq":1,"ts":2}');
    const at = skein.ackAt(bytes, 0, bytes.length);
    expect(bytes.toString('latin1', at, at + 9)).toBe('100000042');
    expect(skein.ackOf(bytes, at)).toBe('room');
  });
});
