/** The numbers of the protocol that no setting changes. */
export const PROTOCOL_VERSION = 1;
/** Seconds between heartbeats; a client that answers no ping within two of them is closed. */
export const HEARTBEAT_SECONDS = 25;
/** Milliseconds in which a connection must present its credentials. */
export const HELLO_MS = 5_000;
/** The least number of milliseconds between two pings that confirm deliveries (`ack=auto`). */
export const CONFIRM_MS = 2_000;
/** Levels of arrays and objects in `data`. */
export const DATA_DEPTH_MAX = 32;
export const PAGE_LIMIT_DEFAULT = 50;
export const PAGE_LIMIT_MAX = 200;
/** Bytes after which a page of history, or the answer to a poll, ends early. */
export const PAGE_BYTES_MAX = 1_048_576;
export const EMOJI_BYTES_MAX = 64;
export const WATCH_MAX = 500;
/** Milliseconds between two `typing` frames of one sender in one conversation; what comes sooner is dropped. */
export const TYPING_MS = 2_000;
/** Members above which a room has no `typing`. */
export const TYPING_ROOM_MAX = 200;
export const POLL_WAIT_DEFAULT = 15;
export const POLL_WAIT_MAX = 60;
export const POLL_CONVERSATIONS_MAX = 40;
/** Frames answered `bad_request` in a row after which a connection is closed (4400). */
export const BAD_REQUESTS_MAX = 3;
