/**
 * Frames of somebody who is logged in and means harm, as text or bytes. `$dm` is a conversation of two others, `$den`
 * their private room, `$yard` a public room, `$crony` somebody who takes whatever is sent.
 */
export type FrameCase = {
  readonly name: string;
  readonly frame: string | Buffer;
  /** The code of the one error, or what comes instead of one; `closed`: the connection ends. */
  readonly expects: string;
  /** The status of the same text as the body of `POST /v1/messages`; 200 for what is sent, else 400. */
  readonly post?: number;
  /** What the crony must get, letter by letter. */
  readonly data?: string;
};

const bad = (name: string, frame: string | Buffer): FrameCase => ({ name, frame, expects: 'bad_request' });
const sent = (name: string, data: string): FrameCase => ({
  name,
  frame: `{"receiver":"$crony","data":${data}}`,
  expects: 'sent',
  data,
});
const refused = (expects: string, name: string, frame: object, post = 400): FrameCase => ({
  name,
  frame: JSON.stringify(frame),
  expects,
  post,
});
const to = (receiver: string): string => `{"receiver":${receiver},"data":1}`;
const seqOf = (seq: string): string => `{"type":"read","conv":"dm:$crony:mallory","seq":${seq}}`;
const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

const TEXTS: readonly FrameCase[] = [
  bad('nothing', ''),
  bad('a space', ' '),
  bad('NUL', '\0'),
  bad('a number', '5'),
  bad('null', 'null'),
  bad('true', 'true'),
  bad('a text', '"send"'),
  bad('an empty object', '{}'),
  bad('an empty array', '[]'),
  bad('an array of frames', '[{"type":"ping"},{"type":"ping"}]'),
  bad('two documents', '{"type":"ping"}{"type":"ping"}'),
  bad('lines of documents', '{"type":"ping"}\n{"type":"ping"}'),
  bad('a document that breaks off', '{"receiver":"$crony","data":"'),
  bad('a trailing comma', '{"receiver":"$crony","data":1,}'),
  bad('a comment', '{"receiver":"$crony",/* */"data":1}'),
  bad('single quotes', "{'receiver':'$crony','data':1}"),
  bad('names without quotes', '{receiver:"$crony",data:1}'),
  bad('a byte order mark', '\ufeff{"receiver":"$crony","data":1}'),
  bad('a raw line feed inside a text', '{"receiver":"$crony","data":"a\nb"}'),
  bad('a raw NUL inside a text', '{"receiver":"$crony","data":"a\0b"}'),
  bad('an escape that does not exist', '{"receiver":"$crony","data":"\\x41"}'),
  bad('half an escape', '{"receiver":"$crony","data":"\\u00"}'),
  bad('NaN', '{"receiver":"$crony","data":NaN}'),
  bad('Infinity', '{"receiver":"$crony","data":-Infinity}'),
  bad('a hexadecimal number', '{"receiver":"$crony","data":0x10}'),
  bad('a number with a leading zero', '{"receiver":"$crony","data":012}'),
  bad('a number with a plus', '{"receiver":"$crony","data":+1}'),
  bad('a number that ends with its point', '{"receiver":"$crony","data":1.}'),
  bad('undefined', '{"receiver":"$crony","data":undefined}'),
  bad('a script', '<script>alert(1)</script>'),
  bad('a request over HTTP', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
  bad('a command for Redis', '*1\r\n$8\r\nFLUSHALL\r\n'),
  bad('20,000 open brackets', '['.repeat(20_000)),
  bad('20,000 nested arrays', nested(20_000)),
  bad('a binary frame of good JSON', Buffer.from('{"receiver":"crony","data":1}')),
  bad('binary noise', Buffer.from([0, 255, 254, 1, 0x7b])),
  bad('an empty binary frame', Buffer.alloc(0)),
];

const TYPES: readonly FrameCase[] = [
  bad('an unknown type', '{"type":"shutdown"}'),
  bad('a type of the prototype', '{"type":"toString"}'),
  bad('the type constructor', '{"type":"constructor"}'),
  bad('the type __proto__', '{"type":"__proto__"}'),
  bad('a type of the server', '{"type":"message","conv":"$dm","seq":1,"sender":"alice","data":1}'),
  bad('the type refused', '{"type":"refused"}'),
  bad('a type in capitals', '{"type":"SEND","receiver":"$crony","data":1}'),
  bad('a type that is null', '{"type":null,"receiver":"$crony","data":1}'),
  bad('a type that is an array', '{"type":["send"],"receiver":"$crony","data":1}'),
  bad('a type that is an object', '{"type":{"toString":"send"},"receiver":"$crony","data":1}'),
  bad('an empty type', '{"type":"","receiver":"$crony","data":1}'),
  bad('a send of nothing', '{"receiver":"$crony"}'),
  bad('a send to nobody', '{"type":"send","data":1}'),
  bad('two targets', '{"receiver":"$crony","room":"$yard","data":1}'),
  bad('a target and a broadcast', '{"receiver":"$crony","broadcast":true,"data":1}'),
  bad('a broadcast that is not true', '{"broadcast":false,"data":1}'),
  bad('a broadcast that is 1', '{"broadcast":1,"data":1}'),
  bad('a broadcast that is a text', '{"broadcast":"true","data":1}'),
  bad('typing at everybody', '{"type":"typing","broadcast":true}'),
  bad('an edit without data', '{"type":"edit","conv":"dm:$crony:mallory","seq":1}'),
  bad('a hello in the name of another', '{"type":"hello","uid":"alice"}'),
  bad('a hello without credentials', '{"type":"hello"}'),
  bad('a hello with a token that is an object', '{"type":"hello","token":{"length":1}}'),
  bad('a hello with a token of 9,000 characters', `{"type":"hello","token":"${'t'.repeat(9_000)}"}`),
  bad('a watch of one name that is none', '{"type":"watch","uids":["alice",5]}'),
  bad('a watch of a text', '{"type":"watch","uids":"alice"}'),
  bad('a watch of an object with a length', '{"type":"watch","uids":{"length":1,"0":"alice"}}'),
  bad('a watch of 501 users', JSON.stringify({ type: 'watch', uids: Array.from({ length: 501 }, (_, i) => `w${i}`) })),
  bad('a watch of 20,000 nulls', JSON.stringify({ type: 'watch', uids: new Array(12_000).fill(null) })),
];

/** As a receiver: what would break out of a key, a pattern, a log line, a path, or only looks like a name. */
const NAMES: readonly FrameCase[] = [
  ...[
    ['null', 'null'],
    ['a number', '0'],
    ['true', 'true'],
    ['an array', '["$crony"]'],
    ['an object with toString', '{"toString":1}'],
    ['an object with length', '{"length":5}'],
    ['empty', '""'],
    ['a space', '" "'],
    ['a name after a space', '" crony"'],
    ['a name before a line feed', '"crony\\n"'],
    ['a NUL', '"crony\\u0000"'],
    ['a header', '"crony\\r\\nx-injected: 1"'],
    ['a brace', '"a}{b"'],
    ['a key tag', '"{p1}crony"'],
    ['a star', '"*"'],
    ['a question mark', '"cron?"'],
    ['a range of letters', '"[a-z]"'],
    ['a colon', '"alice:bob"'],
    ['a conversation', '"dm:alice:bob"'],
    ['a slash', '"../alice"'],
    ['a percent sign', '"%61lice"'],
    ['a quote', '"crony\\""'],
    ['a backslash', '"cro\\\\ny"'],
    ['markup', '"<b>crony</b>"'],
    ['65 letters', `"${'n'.repeat(65)}"`],
    ['10,000 letters', `"${'n'.repeat(10_000)}"`],
    ['65 letters above U+FFFF', `"${'𐐷'.repeat(65)}"`],
    ['half a surrogate pair', '"\\ud800"'],
    ['the other half', '"a\\udc00b"'],
    ['a zero-width space', '"alice\\u200b"'],
    ['a zero-width joiner', '"ali\\u200dce"'],
    ['a right-to-left override', '"\\u202eecila"'],
    ['a soft hyphen', '"ali\\u00adce"'],
    ['a byte order mark', '"\\ufeffalice"'],
    ['a line separator', '"alice\\u2028"'],
    ['a no-break space', '"alice\\u00a0"'],
    ['a mark first', '"\\u0301alice"'],
    ['a private character', '"\\ue000"'],
    ['an unassigned character', '"\\u0378"'],
    ['an emoji', '"👋"'],
    ['a roman numeral sign', '"Ⅷ"'],
    ['a fullwidth colon', '"alice：bob"'],
  ].map(([name, receiver]) => bad(`a receiver that is ${name}`, to(receiver!))),
  bad('a room that is a pattern', '{"room":"*","data":1}'),
  bad('a room that is an object', '{"room":{},"data":1}'),
  bad('a device with a colon', '{"type":"hello","token":"x","device":"a:b"}'),
  ...['"__proto__"', '"constructor"', '"hasOwnProperty"', '"__defineGetter__"'].map(
    (name): FrameCase => ({ name: `a receiver called ${name}`, frame: to(name), expects: 'sent' }),
  ),
  bad('an id that is empty', '{"type":"ping","id":""}'),
  bad('an id that is a number', '{"type":"ping","id":5}'),
  bad('an id of 65 characters', `{"type":"ping","id":"${'i'.repeat(65)}"}`),
  bad('an id beyond ASCII', '{"type":"ping","id":"é"}'),
  bad('an id with a line feed', '{"type":"ping","id":"a\\nb"}'),
  bad('an id that is an object', '{"type":"ping","id":{"toString":1}}'),
];

const NUMBERS: readonly FrameCase[] = [
  ...['0', '-0', '-1', '1.5', '1e999', '-1e999', '9007199254740992', '1e16', '"1"', 'null', '[1]', 'true', '{}'].map(
    (seq) => bad(`a seq of ${seq}`, seqOf(seq)),
  ),
  bad('a seq beyond the head', seqOf('9007199254740991')),
  bad('a try below 0', '{"receiver":"$crony","data":1,"try":-1}'),
  bad('a try of 2^31', '{"receiver":"$crony","data":1,"try":2147483648}'),
  bad('a try of a half', '{"receiver":"$crony","data":1,"try":0.5}'),
  bad('a try that is a text', '{"receiver":"$crony","data":1,"try":"1"}'),
  bad('a limit of 0', '{"type":"history","conv":"all","limit":0}'),
  bad('a limit of 201', '{"type":"history","conv":"all","limit":201}'),
  bad('a limit of 1e999', '{"type":"conversations","limit":1e999}'),
  bad('a limit below 0', '{"type":"conversations","limit":-5}'),
  bad('before and after', '{"type":"history","conv":"all","before":5,"after":5}'),
  bad('an after of -1', '{"type":"history","conv":"all","after":-1}'),
];

const CONVERSATIONS: readonly FrameCase[] = [
  ...['', 'dm', 'dm:', 'dm::', 'dm:mallory', 'dm:mallory:alice', 'dm:a:b:c', 'room:', 'room:a:b', 'ALL', 'all:'].map(
    (conv) => bad(`a conversation called "${conv}"`, JSON.stringify({ type: 'history', conv })),
  ),
  bad('a conversation of 60,000 letters', JSON.stringify({ type: 'history', conv: `room:${'r'.repeat(60_000)}` })),
  bad('a conversation that is an array', '{"type":"history","conv":["all"]}'),
  bad('a conversation with a brace', '{"type":"read","conv":"room:{p1}","seq":1}'),
  ...['history', 'ack', 'read', 'recall', 'edit', 'react'].map((type) =>
    refused('forbidden', `${type} in a conversation of others`, {
      type,
      conv: '$dm',
      ...(type !== 'history' && { seq: 1 }),
      data: 1,
      emoji: '👍',
      on: true,
    }),
  ),
  ...['history', 'ack', 'read', 'recall', 'edit', 'react'].map((type) =>
    refused('not_member', `${type} in a private room of others`, {
      type,
      conv: 'room:$den',
      ...(type !== 'history' && { seq: 1 }),
      data: 1,
      emoji: '👍',
      on: true,
    }),
  ),
  refused('not_member', 'a send to a private room of others', { room: '$den', data: 'hear me' }, 403),
  refused('not_member', 'a send to a public room of others', { room: '$yard', data: 'hear me' }, 403),
  refused('not_found', 'a send to a room that does not exist', { room: 'nowhere', data: 1 }, 404),
  refused('forbidden', 'joining a private room', { type: 'join', room: '$den' }),
  refused('not_member', 'leaving a room of others', { type: 'leave', room: '$den' }),
  refused('not_member', 'the members of a private room', { type: 'members', room: '$den' }),
  refused('not_member', 'the members of a public room of others', { type: 'members', room: '$yard' }),
  refused('silence', 'typing in a private room of others', { type: 'typing', room: '$den' }),
  refused('silence', 'no more watching of whom nobody watched', { type: 'unwatch', uids: ['alice', 'bob'] }),
  refused('forbidden', 'a broadcast without the right to it', { broadcast: true, data: 'all hear me' }, 403),
  refused('not_found', 'a recall of what is not there', { type: 'recall', conv: 'dm:crony:mallory', seq: 1 }),
  refused('not_found', 'a reaction to what is not there', {
    type: 'react',
    conv: 'all',
    seq: 1,
    emoji: '__proto__',
    on: true,
  }),
  bad('an emoji of 65 bytes', JSON.stringify({ type: 'react', conv: 'all', seq: 1, emoji: 'e'.repeat(65), on: true })),
  bad('an emoji that is half a pair', '{"type":"react","conv":"all","seq":1,"emoji":"\\ud800","on":true}'),
  bad('an emoji without on', '{"type":"react","conv":"all","seq":1,"emoji":"e"}'),
  bad('an on that is a text', '{"type":"react","conv":"all","seq":1,"emoji":"e","on":"false"}'),
];

/** Taken, and delivered exactly as it was written. */
const DATA: readonly FrameCase[] = [
  sent('data of 1e999', '1e999'),
  sent('data of -0', '-0'),
  sent('data of a number beyond the safe ones', '9007199254740993'),
  sent('data of 400 digits', '9'.repeat(400)),
  sent('data of half a surrogate pair', '"\\ud800"'),
  sent('data of NUL', '"\\u0000"'),
  sent('data of line separators', '"\u2028\u2029"'),
  sent('data of markup', '"</script><img src=x onerror=alert(1)>"'),
  sent('data that looks like an event of a stream', '"\\n\\nid: 1\\ndata: {}\\n\\n"'),
  sent('data that looks like a frame', '"\\",\\"sender\\":\\"alice\\""'),
  sent('data with a prototype', '{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}'),
  sent('data with toString', '{"toString":1,"toJSON":2,"then":3}'),
  sent('data with a key twice', '{"a":1,"a":2}'),
  sent('data of 32 levels', nested(32)),
  bad('data of 33 levels', `{"receiver":"$crony","data":${nested(33)}}`),
  bad('data of 33 levels, then of 1', `{"receiver":"$crony","data":${nested(33)},"data":1}`),
  sent('data of an array of 30,000', JSON.stringify(new Array(30_000).fill(0))),
  sent('data of 12,000 keys', `{${Array.from({ length: 6_000 }, (_, i) => `"k${i}":0`).join(',')}}`),
  sent('data of 10,000 marks on one letter', JSON.stringify(`a${'\u0301'.repeat(10_000)}`)),
  sent('data of right-to-left overrides', '"\u202e\u2066\u200f"'),
  sent('data of Lua', '"]] redis.call(\'FLUSHALL\') --[["'),
  sent('data of null', 'null'),
];

const MEMBERS: readonly FrameCase[] = [
  { name: 'a receiver twice', frame: '{"receiver":"alice","receiver":"$crony","data":"twice"}', expects: 'sent' },
  { name: 'a sender that is another', frame: '{"sender":"alice","receiver":"$crony","data":"x"}', expects: 'sent' },
  { name: 'a key written with escapes', frame: '{"receiver":"$crony","d\\u0061ta":"escaped"}', expects: 'sent' },
  { name: 'a member __proto__', frame: '{"__proto__":{"room":"$den"},"receiver":"$crony","data":1}', expects: 'sent' },
  { name: 'members of the server', frame: '{"receiver":"$crony","data":1,"op":"recall","ref":1}', expects: 'sent' },
  bad('a receiver only in the prototype', '{"__proto__":{"receiver":"$crony","data":1}}'),
  bad('data only in the prototype', '{"receiver":"$crony","__proto__":{"data":1}}'),
  {
    name: '3,000 unknown members',
    frame: `{"receiver":"$crony","data":1,${Array.from({ length: 3_000 }, (_, i) => `"x${i}":{}`).join(',')}}`,
    expects: 'sent',
  },
  {
    name: 'white space all over',
    frame: '\r\n { "receiver" :\t"$crony" , "data" : [ 1 , "a b" , { "c" : 2 } ] } \n',
    expects: 'sent',
  },
  { name: 'a frame over the limit', frame: `{"data":"${'x'.repeat(65_536)}"}`, expects: 'closed', post: 413 },
];

export const FRAMES: readonly FrameCase[] = [
  ...TEXTS,
  ...TYPES,
  ...NAMES,
  ...NUMBERS,
  ...CONVERSATIONS,
  ...DATA,
  ...MEMBERS,
];
