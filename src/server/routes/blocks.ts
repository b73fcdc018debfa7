/** Whom a user blocks. */
import { parseUid } from '../../protocol/index.js';
import type { ApiParts } from '../api.js';
import { failure, json } from '../replies.js';
import { type Call, ofOutcome, type Route } from '../route.js';
import type { Response } from '../transport.js';

export function blockRoutes({ chat }: ApiParts): readonly Route[] {
  async function block({ caller, path: [other] }: Call, on: boolean): Promise<Response> {
    const uid = parseUid(other);
    if (uid === undefined) return failure('bad_request', 'not a user name');
    return ofOutcome(await chat.requests.block(caller.uid, uid, on));
  }

  const one = /^\/v1\/blocks\/([^/]+)$/;
  return [
    { method: 'PUT', pattern: one, needs: 'user', run: (call) => block(call, true) },
    { method: 'DELETE', pattern: one, needs: 'user', run: (call) => block(call, false) },
    {
      method: 'GET',
      pattern: /^\/v1\/blocks$/,
      needs: 'user',
      run: async ({ caller }) => json(await chat.requests.blocked(caller.uid)),
    },
  ];
}
