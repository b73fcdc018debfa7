/** The parameters of a query; of a name that comes twice, the first. */
export type Query = Pick<URLSearchParams, 'has' | 'get'>;

/** Means itself, whoever reads it. */
const PLAIN = /^[\w.~@:&=-]*$/;

/** As URLSearchParams has them, which takes several times as long for what needs no decoding, as most do. */
export function queryOf(text: string): Query {
  if (!PLAIN.test(text)) return new URLSearchParams(text);
  const found = new Map<string, string>();
  for (const pair of text.split('&')) {
    const at = pair.indexOf('=');
    const name = at < 0 ? pair : pair.slice(0, at);
    if (pair !== '' && !found.has(name)) found.set(name, at < 0 ? '' : pair.slice(at + 1));
  }
  return { has: (name) => found.has(name), get: (name) => found.get(name) ?? null };
}
