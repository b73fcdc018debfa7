/** The server, as a client meets it. */
import { WebSocket } from 'ws';
import type { Auth } from '../../client/credentials.js';
import { reachingFetch } from '../reach.js';
import { type Check, clockCheck, fail, ok, warn } from './check.js';

/** The part of `/readyz` that is used. */
type Readiness = {
  readonly ready?: boolean;
  readonly version?: string;
  readonly backend?: string;
  readonly sockets?: string;
  readonly reasons?: readonly string[];
};

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;
/** A Date header has whole seconds. */
const DATE_ERROR_MS = 1_000;

export type Patient = {
  /** `http(s)://host/path/` */
  readonly url: string;
  readonly auth: Auth;
  /** Of this program. */
  readonly version: string;
  /** Milliseconds for each answer. */
  readonly within: number;
};

export async function checkServer(patient: Patient): Promise<readonly Check[]> {
  const { url, within } = patient;
  const began = Date.now();
  let alive: Response;
  try {
    alive = await get(patient, 'healthz');
  } catch (error) {
    const found = `no answer from ${url}: ${error instanceof Error ? error.message : error}`;
    return [
      fail(
        'server',
        found,
        'Is a node running, and is this its address? Start one with "npm start", or set SKEIN_URL.',
      ),
    ];
  }
  const took = Date.now() - began;
  if (!alive.ok) {
    const advice = 'A proxy without a living node behind it, or not Skein at all.';
    return [fail('server', `${url} answers ${alive.status}`, advice)];
  }
  const date = Date.parse(alive.headers.get('date') ?? '');
  return [
    ok('server', `${url} answers in ${took} ms`),
    ...(await readyChecks(patient)),
    ...(Number.isNaN(date)
      ? []
      : [clockCheck('server clock', date + DATE_ERROR_MS / 2 - began, DATE_ERROR_MS / 2 + took)]),
    await loginCheck(patient),
    await socketCheck(url, within),
  ];
}

/** Rejects where there is no answer. */
const get = ({ url, within }: Patient, path: string, headers: Record<string, string> = {}): Promise<Response> =>
  reachingFetch(`${url}${path}`, { headers, signal: AbortSignal.timeout(within) });

async function readyChecks(patient: Patient): Promise<readonly Check[]> {
  const response = await get(patient, 'readyz');
  const state = (await response.json().catch(notJson)) as Readiness;
  if (state.version === undefined) {
    return [fail('ready', `/readyz answers ${response.status}, and not as Skein does`, 'Is SKEIN_URL a Skein node?')];
  }
  const reasons = state.reasons ?? [];
  const why = reasons.join('; ');
  const weak = 'It works. docs/operations.md tells what each of these means.';
  const ready = state.ready
    ? reasons.length > 0
      ? warn('ready', why, weak)
      : ok('ready', 'fit for traffic')
    : fail('ready', why || 'not ready', 'See docs/runbook.md, SkeinNotReady: mostly it is Redis.');
  const found = `${state.version} on ${state.backend}, sockets by ${state.sockets}`;
  const isOther = state.version !== patient.version;
  const advice = `This program is ${patient.version}: use the version that the server has.`;
  return [ready, isOther ? warn('version', found, advice) : ok('version', found)];
}

/** Asks something small as the user, and as anybody. */
async function loginCheck(patient: Patient): Promise<Check> {
  const { token, uid } = patient.auth;
  const name = 'log-in';
  const path = 'v1/presence?of=doctor';
  if (token !== undefined) {
    const { status } = await get(patient, path, { authorization: `Bearer ${token}` });
    if (status === 200) return ok(name, `the token is good${uid ? `, for ${uid}` : ''}`);
    if (status === 401) return fail(name, 'the token is refused', tokenAdvice);
    return fail(name, `answered ${status}`, 'Is this user banned, or the server in trouble? Its log says more.');
  }
  const { status } = await get(patient, `${path}&uid=${encodeURIComponent(uid ?? 'doctor')}`);
  if (status === 401) return ok(name, 'needs a token, as it should');
  if (status !== 200) return fail(name, `answered ${status}`, 'The log of the server says why.');
  const isHere = LOOPBACK.test(new URL(patient.url).hostname);
  const found = 'open mode: everybody may be anybody';
  return isHere
    ? ok(name, `${found} (this machine only)`)
    : warn(name, found, 'SKEIN_AUTH=jwt, before others reach it.');
}

const tokenAdvice =
  'Has it run out, and are key, iss and aud those that the server was told? "skein token <user>" makes a new one.';

function socketCheck(url: string, within: number): Promise<Check> {
  const name = 'websocket';
  return new Promise((resolve) => {
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}ws`, { handshakeTimeout: within });
    socket.on('open', () => {
      resolve(ok(name, 'upgrades pass'));
      socket.close();
    });
    socket.on('error', ({ message }) => {
      const advice = 'Clients fall back to HTTP, slower. Let the proxy pass upgrades: deploy/ shows how.';
      resolve(warn(name, `upgrades don’t pass: ${message}`, advice));
    });
  });
}

const notJson = (): object => ({});
