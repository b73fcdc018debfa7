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
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "manifest-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Encodings that the build left beside each file, the smaller first. */
const ENCODINGS = [
  { name: 'br', extension: '.br' },
  { name: 'gzip', extension: '.gz' },
] as const;

type Encoding = (typeof ENCODINGS)[number]['name'];
type Variant = { readonly body: Uint8Array; readonly etag: string; readonly encoding?: Encoding };
type Asset = {
  readonly plain: Variant;
  readonly compressed: readonly (Variant & { readonly encoding: Encoding })[];
  readonly type: string;
  readonly isHashed: boolean;
};

/** Addresses without an ending. */
const ALIASES: Readonly<Record<string, string>> = { '/': '/index.html', '/lab': '/lab.html' };

export class Pages {
  private readonly assets: ReadonlyMap<string, Asset>;

  constructor(root = fileURLToPath(new URL('../web/', import.meta.url))) {
    const files = new Set(filesBelow(root));
    const plain = [...files].filter((file) => !ENCODINGS.some(({ extension }) => file.endsWith(extension)));
    this.assets = new Map(plain.map((file) => [`/${relative(root, file).split(sep).join('/')}`, assetOf(file, files)]));
  }

  answer(request: Request): Response {
    const found = this.assets.get(ALIASES[request.path] ?? request.path);
    if (found === undefined) return failure('not_found');
    const { body, etag, encoding } = variantFor(found, request.header('accept-encoding') ?? '');
    const headers = {
      'content-type': found.type,
      ...(encoding && { 'content-encoding': encoding }),
      etag,
      vary: 'accept-encoding',
      'cache-control': found.isHashed ? 'public, max-age=31536000, immutable' : 'no-cache',
      'content-security-policy': POLICY,
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
    };
    const isKnown = (request.header('if-none-match') ?? '').split(',').some((one) => one.trim() === etag);
    return isKnown ? { status: 304, headers, body: '' } : { status: 200, headers, body };
  }
}

function variantFor({ plain, compressed }: Asset, accepted: string): Variant {
  const names = new Set(
    accepted
      .toLowerCase()
      .split(',')
      .filter((one) => !/;\s*q=0(\.0*)?\s*$/.test(one))
      .map((one) => one.split(';', 1)[0]?.trim()),
  );
  return compressed.find(({ encoding }) => names.has(encoding)) ?? plain;
}

function assetOf(file: string, files: ReadonlySet<string>): Asset {
  const plain = readFileSync(file);
  const hash = createHash('sha256').update(plain).digest('base64url').slice(0, 22);
  return {
    plain: { body: plain, etag: `"${hash}"` },
    compressed: ENCODINGS.filter(({ extension }) => files.has(`${file}${extension}`)).map(({ name, extension }) => ({
      body: readFileSync(`${file}${extension}`),
      etag: `"${hash}-${name}"`,
      encoding: name,
    })),
    type: TYPES[extname(file)] ?? 'application/octet-stream',
    isHashed: file.includes(`${sep}assets${sep}`),
  };
}

function filesBelow(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
