/** What a node relies on, whichever library holds the sockets. */
import { describe } from 'vitest';
import { backpressure } from './backpressure.js';
import { frames } from './frames.js';
import { hostile } from './hostile.js';
import { http } from './http.js';
import { lifecycle } from './lifecycle.js';
import { streams } from './streams.js';
import { type Adapter, tidyAfterEach } from './support.js';
import { topics } from './topics.js';
import { upgrades } from './upgrades.js';

export function transportSuite(adapter: Adapter): void {
  describe(`a transport on ${adapter.name}${adapter.tls ? ' with TLS' : ''}`, () => {
    tidyAfterEach();
    describe('letting WebSockets in', () => upgrades(adapter));
    describe('frames', () => frames(adapter));
    describe('topics', () => topics(adapter));
    describe('slow readers', () => backpressure(adapter));
    describe('HTTP', () => http(adapter));
    describe('streams', () => streams(adapter));
    describe('beginning and ending', () => lifecycle(adapter));
    describe('hostile peers', () => hostile(adapter));
  });
}
