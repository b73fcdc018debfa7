/** What is tried on a node, as data: each case with its answer. */
export { CURSORS } from './cases/cursors.js';
export { FRAMES, type FrameCase } from './cases/frames.js';
export { REQUESTS, type RequestCase, UNFINISHED, UNFINISHED_BODIES } from './cases/requests.js';
export { frame, SOCKETS, UNMASKED } from './cases/sockets.js';
