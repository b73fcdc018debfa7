import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decode, decodeBody } from '../../src/protocol/decode.js';

const dataOf = (text: string) => {
  const frame = decode(text);
  return frame.type === 'send' ? frame.data : frame;
};

describe('a send', () => {
  test('keeps its data as it was written, number by number', () => {
    expect(dataOf('{"receiver":"B","data":{"n":9007199254740993,"z":-0,"e":1e999,"s":"\\ud800"}}')).toBe(
      '{"n":9007199254740993,"z":-0,"e":1e999,"s":"\\ud800"}',
    );
  });

  test('loses only the white space between tokens', () => {
    expect(dataOf('{ "receiver" : "B",\n "data" : { "a b" : [ 1,\n2 ] , "q" : "\\" }\\\\" }\n}')).toBe(
      '{"a b":[1,2],"q":"\\" }\\\\"}',
    );
  });

  test('has the last data where the member stands twice, however it is spelled', () => {
    expect(dataOf('{"receiver":"B","data":1,"d\\u0061ta":{"data":2},"x":{"data":3}}')).toBe('{"data":2}');
  });

  test('carries any JSON value as it would be read again', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (data, other) => {
        const spaced = JSON.stringify({ other, receiver: 'B', data, more: other }, null, 1);
        expect(dataOf(spaced)).toBe(JSON.stringify(data));
      }),
    );
  });

  test.each([32, 33])('may nest 32 levels, not 33 (%i)', (depth) => {
    const frame = decode(`{"receiver":"B","data":${'['.repeat(depth)}${']'.repeat(depth)}}`);
    expect(frame.type).toBe(depth === 32 ? 'send' : 'refused');
  });

  test.each([
    ['{"receiver":"B"}', 'no data'],
    ['{"receiver":"B","room":"r","data":1}', 'two targets'],
    ['{"type":"send","data":1}', 'no target'],
    ['{"broadcast":false,"data":1}', 'no target either'],
    ['{"receiver":"B","data":1,"try":-1}', 'a negative try'],
    ['{"receiver":"B","data":1,"id":""}', 'an empty id'],
    ['{"receiver":["B"],"data":1}', 'an array for a name'],
    ['{"receiver":{"toString":1},"data":1}', 'an object for a name'],
    ['{"__proto__":{"receiver":"B"},"data":1}', 'a target in the prototype'],
    ['[1]', 'an array'],
    ['', 'nothing'],
  ])('is refused: %s (%s)', (text) => {
    expect(decode(text).type).toBe('refused');
  });

  test('is known by its target where the type is left out', () => {
    expect(decode('{"receiver":"B","data":null}')).toEqual({ type: 'send', receiver: 'B', data: 'null' });
  });
});

test('a refusal names the request that it answers', () => {
  expect(decode('{"type":"history","id":"h1","conv":"dm:B:A"}')).toEqual({
    type: 'refused',
    id: 'h1',
    message: 'conv: not a conversation',
  });
});

test('a body may leave its type out, and may have no other one', () => {
  const body = '"receiver":"B","data":1}';
  expect(decodeBody('send', `{${body}`)).toEqual(decodeBody('send', `{"type":"send",${body}`));
  for (const type of ['"ack"', '"SEND"', 'null', '""', '["send"]']) {
    expect(decodeBody('send', `{"type":${type},${body}`).type).toBe('refused');
  }
});
