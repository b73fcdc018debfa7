/** Error and close codes (protocol section 7): one table each, for both sides of the wire. */

/** Every error code, with the HTTP status it has on `/v1`. */
export const ERRORS = {
  bad_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_member: 403,
  not_found: 404,
  conflict: 409,
  too_large: 413,
  rate_limited: 429,
  internal: 500,
  unavailable: 503,
  box_full: 507,
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** Close codes of a WebSocket; whether a client should come back by itself is part of the table. */
export const CLOSE = {
  tooBig: { code: 1009, reason: 'frame too large', comeBack: false },
  restart: { code: 1012, reason: 'this node stops; come back', comeBack: true },
  overloaded: { code: 1013, reason: 'too slow a reader, or overloaded; come back', comeBack: true },
  badRequests: { code: 4400, reason: 'three bad requests in a row', comeBack: false },
  unauthorized: { code: 4401, reason: 'no valid credentials', comeBack: false },
  banned: { code: 4403, reason: 'banned or disconnected by the operator', comeBack: false },
  replaced: { code: 4409, reason: 'replaced by another connection of this device', comeBack: false },
  rateLimited: { code: 4429, reason: 'far over the rate', comeBack: true },
} as const;

export type CloseReason = keyof typeof CLOSE;
