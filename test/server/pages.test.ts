import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Pages } from '../../src/server/pages.js';
import type { Request } from '../../src/server/transport.js';

const HTML = '<!doctype html><title>Skein</title>';
let root: string;
let pages: Pages;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'pages-'));
  mkdirSync(join(root, 'assets'));
  for (const name of ['index.html', 'lab.html', 'assets/a-1.js']) {
    writeFileSync(join(root, name), HTML);
    writeFileSync(join(root, `${name}.br`), brotliCompressSync(HTML));
    writeFileSync(join(root, `${name}.gz`), gzipSync(HTML));
  }
  writeFileSync(join(root, 'icon.png'), HTML);
  pages = new Pages(root);
});

afterAll(() => rmSync(root, { recursive: true }));

function get(path: string, headers: Readonly<Record<string, string>> = {}) {
  const request = { path, header: (name: string) => headers[name] } as unknown as Request;
  const { status, headers: answered = {}, body } = pages.answer(request);
  return { status, headers: answered as Record<string, string>, body: Buffer.from(body as Uint8Array) };
}

test('a page comes in the best encoding that the browser takes, and as it is to one that takes none', () => {
  const best = get('/', { 'accept-encoding': 'gzip, deflate, br' });
  expect(best.headers['content-encoding']).toBe('br');
  expect(brotliDecompressSync(best.body).toString()).toBe(HTML);
  const other = get('/', { 'accept-encoding': 'gzip;q=1.0, br;q=0' });
  expect(other.headers['content-encoding']).toBe('gzip');
  expect(gunzipSync(other.body).toString()).toBe(HTML);
  const plain = get('/');
  expect(plain.headers['content-encoding']).toBeUndefined();
  expect(plain.body.toString()).toBe(HTML);
  expect(new Set([best, other, plain].map(({ headers }) => headers.etag)).size).toBe(3);
  expect([best, other, plain].map(({ headers }) => headers.vary)).toEqual(Array(3).fill('accept-encoding'));
});

test('what the browser has already is not sent again', () => {
  const accepting = { 'accept-encoding': 'br' };
  const { etag } = get('/', accepting).headers;
  const again = get('/', { ...accepting, 'if-none-match': `"other", ${etag}` });
  expect(again.status).toBe(304);
  expect(again.body).toHaveLength(0);
});

test('what has a hash in its name is kept for ever, the pages are asked for again', () => {
  expect(get('/assets/a-1.js').headers['cache-control']).toContain('immutable');
  expect(get('/lab').headers['cache-control']).toBe('no-cache');
  expect(get('/lab').headers['content-type']).toContain('text/html');
});

test('what is not compressed comes as it is; encoded files have no address of their own, nor has anything else', () => {
  expect(get('/icon.png', { 'accept-encoding': 'br' }).headers['content-encoding']).toBeUndefined();
  for (const path of ['/index.html.br', '/../package.json', '/constructor', '/nowhere']) {
    expect(get(path).status, path).toBe(404);
  }
});

test('no page may run or load what this server did not send', () => {
  const policy = get('/').headers['content-security-policy'] ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toContain('unsafe');
});
