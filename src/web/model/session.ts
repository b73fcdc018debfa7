/** Who uses this page: kept for the tab first, so that two tabs may be two people, and for the browser's next tab. */
import { parseUid, type Uid } from '../../protocol/index.js';

export type Session = { readonly uid: Uid; readonly token?: string | undefined };

const KEY = 'skein-session';

/** The session in what a user typed: a name, or a token that says the name itself. Undefined if it is neither. */
export function sessionOf(typed: string, isToken: boolean): Session | undefined {
  const uid = parseUid(isToken ? subjectOf(typed) : typed);
  return uid && { uid, token: isToken ? typed : undefined };
}

function subjectOf(token: string): unknown {
  try {
    const bytes = Uint8Array.from(atob(token.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/')), (c) =>
      c.charCodeAt(0),
    );
    return (JSON.parse(new TextDecoder().decode(bytes)) as { readonly sub?: unknown } | null)?.sub;
  } catch {
    return undefined; // not a token that names anybody
  }
}

export function remembered(): Session | undefined {
  const text = sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY);
  if (text === null) return undefined;
  try {
    const { uid, token } = JSON.parse(text) as { readonly uid?: unknown; readonly token?: unknown };
    const known = parseUid(uid);
    return known && { uid: known, token: typeof token === 'string' ? token : undefined };
  } catch {
    return undefined; // something else wrote there: as if nobody had logged in
  }
}

export function remember(session: Session): void {
  const text = JSON.stringify(session);
  sessionStorage.setItem(KEY, text);
  localStorage.setItem(KEY, text);
}

export function forget(): void {
  sessionStorage.removeItem(KEY);
  localStorage.removeItem(KEY);
}

/** This browser, for as long as it keeps its storage. */
export function deviceOfThisBrowser(): string {
  const known = localStorage.getItem('device');
  if (known) return known;
  const bytes = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, '0'));
  const device = `web-${bytes.join('')}`;
  localStorage.setItem('device', device);
  return device;
}

/** The service that this page came from, with the path that a proxy may have put before it. */
export const BASE = new URL('.', location.href).href;

export const headersOf = ({ token }: Session): Record<string, string> =>
  token === undefined ? {} : { authorization: `Bearer ${token}` };

/** An address of the HTTP interface, in the name of this user. */
export function addressIn(session: Session, path: string, query: Readonly<Record<string, string>> = {}): string {
  const url = new URL(path, BASE);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  if (session.token === undefined) url.searchParams.set('uid', session.uid);
  return url.href;
}
