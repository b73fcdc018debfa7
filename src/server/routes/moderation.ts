/** What an operator does to users, with the server key. */
import { type DeviceId, parseDevice, parseUid } from '../../protocol/index.js';
import type { ApiParts } from '../api.js';
import { failure, json } from '../replies.js';
import { type Call, DEVICE_FORM, ofOutcome, type Route, readObject } from '../route.js';
import type { Response } from '../transport.js';

type ServerCall = Call<unknown>;

const TOKEN_ID_MAX = 512;

export function moderationRoutes({ chat, limits }: ApiParts): readonly Route[] {
  async function disconnect({ request }: ServerCall): Promise<Response> {
    const body = await readObject(request, limits.frame);
    if ('status' in body) return body;
    const { code } = body.fields;
    const uid = parseUid(body.fields.uid);
    const device = deviceOf(body.fields.device);
    if (uid === undefined) return failure('bad_request', 'uid: not a user name');
    if (device === 'wrong') return failure('bad_request', DEVICE_FORM);
    if (code !== undefined && !isCloseCode(code)) return failure('bad_request', 'code: 4000 to 4999');
    await chat.moderation.disconnect({ uid, device }, code);
    return json('{}');
  }

  async function ban({ request, path: [name] }: ServerCall, on: boolean): Promise<Response> {
    const uid = parseUid(name);
    if (uid === undefined) return failure('bad_request', 'not a user name');
    const body = await readObject(request, limits.frame);
    if ('status' in body) return body;
    const device = deviceOf(body.fields.device);
    const { jti } = body.fields;
    if (device === 'wrong') return failure('bad_request', DEVICE_FORM);
    if (jti !== undefined && !isTokenId(jti)) return failure('bad_request', `jti: a text of at most ${TOKEN_ID_MAX}`);
    return ofOutcome((await chat.moderation.ban({ uid, device, tokenId: jti }, on)) ?? '{}');
  }

  async function erase({ path: [name] }: ServerCall): Promise<Response> {
    const uid = parseUid(name);
    if (uid === undefined) return failure('bad_request', 'not a user name');
    await chat.moderation.erase(uid);
    return json('{}');
  }

  const bans = /^\/v1\/server\/bans\/([^/]+)$/;
  return [
    { method: 'POST', pattern: /^\/v1\/server\/disconnect$/, needs: 'server', run: disconnect },
    { method: 'PUT', pattern: bans, needs: 'server', run: (call) => ban(call, true) },
    { method: 'DELETE', pattern: bans, needs: 'server', run: (call) => ban(call, false) },
    { method: 'DELETE', pattern: /^\/v1\/server\/users\/([^/]+)$/, needs: 'server', run: erase },
  ];
}

function deviceOf(value: unknown): DeviceId | undefined | 'wrong' {
  return value === undefined ? undefined : (parseDevice(value) ?? 'wrong');
}

const isCloseCode = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 4000 && Number(value) <= 4999;
const isTokenId = (value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= TOKEN_ID_MAX;
