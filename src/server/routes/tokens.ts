/** Tokens that the service signs itself, for who has no issuer of their own. */
import { parseUid } from '../../protocol/index.js';
import type { ApiParts } from '../api.js';
import { failure, json } from '../replies.js';
import { type Call, type Route, readObject } from '../route.js';
import { issueToken } from '../tokens.js';
import type { Response } from '../transport.js';

/** Seconds. */
const TTL_DEFAULT = 3_600;
const TTL_MAX = 2_592_000;

export function tokenRoutes({ chat, mode, limits }: ApiParts): readonly Route[] {
  async function issue({ request, caller }: Call<unknown>): Promise<Response> {
    if (mode === 'jwt' && caller !== 'server') return failure('forbidden', 'this needs the server key');
    const body = await readObject(request, limits.frame);
    if ('status' in body) return body;
    const uid = parseUid(body.fields.uid);
    if (uid === undefined) return failure('bad_request', 'uid: not a user name');
    const { ttl = TTL_DEFAULT } = body.fields;
    if (!isTtl(ttl)) return failure('bad_request', `ttl: 1 to ${TTL_MAX} whole seconds`);
    return json(JSON.stringify(await issueToken(chat.secret(), uid, ttl)), 201);
  }

  return [{ method: 'POST', pattern: /^\/v1\/tokens$/, needs: 'either', run: issue }];
}

const isTtl = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 1 && (value as number) <= TTL_MAX;
