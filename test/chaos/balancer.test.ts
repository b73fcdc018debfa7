import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LoadBalancer } from '../../loadtest/chaos/site/balancer.js';
import { HAPROXY, NGINX } from '../../loadtest/rig/balancers.js';
import { program } from '../deploy/program.js';
import { http } from '../support/http.js';
import { until } from '../support/until.js';

const node = createServer((_request, response) => response.end('a node'));
beforeEach(async () => {
  node.listen(0, '127.0.0.1');
  await once(node, 'listening');
});
afterEach(() => node.close());

const kinds = [HAPROXY, NGINX].filter(({ name }) => program(name) !== undefined);

test.each(kinds)('chaos finds its nodes behind $name, which ends when it is told to', async (kind) => {
  const balancer = await LoadBalancer.start([(node.address() as AddressInfo).port], kind);
  const asked = () => http(`http://127.0.0.1:${balancer.port}/readyz`);
  await until(async () => (await asked()).text === 'a node', 'the node to answer');
  await balancer.stops();
  await expect(asked()).rejects.toThrow();
});
