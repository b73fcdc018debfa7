/** An answer of a node's HTTP side. `body` is the parsed JSON, or undefined where it was none. */
export interface Answer<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Body;
}

export interface Request {
  readonly method?: string;
  /** An object is sent as JSON, a string as it is. */
  readonly body?: unknown;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface ErrorBody {
  readonly error: { readonly code: string; readonly message: string };
}

/** One HTTP request; whatever status comes back is an answer, only a broken connection throws. */
export async function http<Body = ErrorBody>(url: string, request: Request = {}): Promise<Answer<Body>> {
  const { method = request.body === undefined ? 'GET' : 'POST', body, token, signal } = request;
  const headers = new Headers(request.headers);
  if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
  if (body !== undefined) headers.set('content-type', 'application/json');
  const response = await fetch(url, {
    method,
    headers,
    body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
    signal: signal ?? AbortSignal.timeout(70_000),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: parsed(text) as Body };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON is a finding for the test that looks at `body`, not for this function.
    return undefined;
  }
}
