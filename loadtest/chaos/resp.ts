/** Where the items of Redis' protocol end: enough of RESP2 and RESP3 to take single messages out of a stream. */

const CR = 0x0d;
const SIMPLE = '+-:_,#(';
const BULK = '$!=';
const ARRAYS = '*~>';
const MAPS = '%|';

/** The offset behind the item that begins at `at`; -1 while it is not all there. */
export function itemEnd(bytes: Buffer, at: number): number {
  const lineEnd = bytes.indexOf('\r\n', at, 'latin1');
  if (lineEnd < 0 || bytes[lineEnd] !== CR) return -1;
  const kind = String.fromCharCode(bytes[at] ?? 0);
  const after = lineEnd + 2;
  if (SIMPLE.includes(kind)) return after;
  const size = Number(bytes.toString('latin1', at + 1, lineEnd));
  if (BULK.includes(kind)) return bulkEnd(bytes, after, size);
  if (ARRAYS.includes(kind)) return itemsEnd(bytes, after, size);
  if (MAPS.includes(kind)) return itemsEnd(bytes, after, 2 * size + (kind === '|' ? 1 : 0));
  throw new Error(`not Redis' protocol: ${bytes.toString('latin1', at, at + 20)}`);
}

/** Whether the item at `at` is a published message. */
export const isMessage = (bytes: Buffer, at: number): boolean =>
  /^[>*]3\r\n\$(?:7\r\nmessage|8\r\nsmessage)\r\n/.test(bytes.toString('latin1', at, at + 24));

function bulkEnd(bytes: Buffer, at: number, size: number): number {
  const end = size < 0 ? at : at + size + 2;
  return end > bytes.length ? -1 : end;
}

function itemsEnd(bytes: Buffer, at: number, count: number): number {
  let end = at;
  for (let i = 0; i < count && end >= 0; i++) end = end < bytes.length ? itemEnd(bytes, end) : -1;
  return end;
}
