/** Who is online. */
import { parseUid, type Uid, WATCH_MAX } from '../../protocol/index.js';
import type { ApiParts } from '../api.js';
import { failure, json } from '../replies.js';
import type { Call, Route } from '../route.js';
import type { Response } from '../transport.js';

export function presenceRoutes({ chat }: ApiParts): readonly Route[] {
  async function presence({ query, caller }: Call): Promise<Response> {
    const uids = query.getAll('of').map(parseUid);
    if (uids.length > WATCH_MAX || uids.includes(undefined)) {
      return failure('bad_request', `of: at most ${WATCH_MAX} user names`);
    }
    return json(await chat.requests.presence(caller.uid, uids as Uid[]));
  }

  return [{ method: 'GET', pattern: /^\/v1\/presence$/, needs: 'user', run: presence }];
}
