import type { TransportName } from './transports/link.js';

/** As a WebSocket numbers them. */
export const STATE = { connecting: 0, open: 1, closing: 2, closed: 3 } as const;
export type State = (typeof STATE)[keyof typeof STATE];

export type Status =
  | { readonly state: typeof STATE.connecting }
  | { readonly state: typeof STATE.open; readonly transport: TransportName }
  | { readonly state: typeof STATE.closing }
  | {
      readonly state: typeof STATE.closed;
      /** Why, with a WebSocket close code: 1000 if the application wanted it, 1006 if the line was lost. */
      readonly code: number;
      readonly reason: string;
      /** When the next try begins, in milliseconds since 1970; undefined: only when `connect` is called. */
      readonly next?: number;
    };

export const ASLEEP: Status = { state: STATE.closed, code: 1000, reason: 'not connected' };
