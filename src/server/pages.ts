/** The page and its assets: a fixed set of files read once, so that no request ever names a path on disk. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { failure } from './replies.js';
import type { Request, Response } from './transport.js';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json; charset=utf-8',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "manifest-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

type Asset = { readonly body: Uint8Array; readonly etag: string; readonly type: string; readonly isHashed: boolean };

export class Pages {
  private readonly assets: ReadonlyMap<string, Asset>;

  constructor(root = fileURLToPath(new URL('../web/', import.meta.url))) {
    this.assets = new Map(
      filesBelow(root).map((file) => [`/${relative(root, file).split(sep).join('/')}`, asset(file)]),
    );
  }

  answer(request: Request): Response {
    const path = request.path === '/' ? '/index.html' : request.path;
    const found = this.assets.get(path);
    if (found === undefined) return failure('not_found');
    const headers = {
      'content-type': found.type,
      etag: found.etag,
      'cache-control': found.isHashed ? 'public, max-age=31536000, immutable' : 'no-cache',
      'content-security-policy': POLICY,
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
    };
    if (request.header('if-none-match') === found.etag) return { status: 304, headers, body: '' };
    return { status: 200, headers, body: found.body };
  }
}

function asset(file: string): Asset {
  const body = readFileSync(file);
  return {
    body,
    etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
    type: TYPES[extname(file)] ?? 'application/octet-stream',
    isHashed: file.includes(`${sep}assets${sep}`),
  };
}

function filesBelow(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
