// `npm run test:compose`: brings docker-compose.yml up from the built image, talks through the load balancer while
// containers die and are replaced, looks at what Prometheus has, and takes it all down. Needs Docker with compose v2
// and `npm run build`. With `--offline` nothing is fetched, and Grafana is left out; with `--sentinel` Redis is a primary
// and a replica, and the primary dies.
import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { WebSocket } from 'ws';
import { Series } from './compose/series.mjs';
import { Stack } from './compose/stack.mjs';
import { Traffic } from './compose/traffic.mjs';
import { until } from './compose/until.mjs';

const NODES = 3;
const hasSentinel = process.argv.includes('--sentinel');
const stack = await Stack.create({ isOffline: process.argv.includes('--offline'), hasSentinel });
const began = performance.now();
const seconds = (since) => ((performance.now() - since) / 1_000).toFixed(1);

async function step(name, work) {
  const since = performance.now();
  const found = await work();
  console.log(`ok   ${seconds(since).padStart(6)} s  ${name}${found ? `: ${found}` : ''}`);
}

let traffic;
let series;
process.once('SIGINT', () => finish(new Error('interrupted')));

try {
  await everything();
  await finish();
} catch (error) {
  await finish(error);
}

async function everything() {
  await step('the image is built', () => stack.build().then(() => ''));
  await step(`${NODES} nodes, Redis, load balancer and Prometheus are up and healthy`, () =>
    stack.up(NODES).then(() => ''),
  );
  series = new Series(stack.prometheus);
  await step('the image runs as nobody and is small', theImage);
  await step('the page comes through the load balancer', thePage);
  await step('sockets reach every node, and a message crosses from one to another', acrossNodes);
  await step('an event stream and a long poll bring a message at once', otherTransports);
  traffic = new Traffic(stack.url);
  await step('three pairs talk, by WebSocket, stream and poll', () => traffic.begin());
  for (const service of ['skein', 'lb', 'prometheus', 'redis']) {
    await step(`${service}: killed, and everything is back by itself with nothing lost`, () => killed(service));
  }
  if (hasSentinel) await step('the primary is gone for good, and the replica takes its place', failedOver);
  await step('every node is replaced, one by one, with nothing lost', rolled);
  await step('a flood is refused with rate_limited', flood);
  await step('Prometheus scrapes every node and the load balancer', scraped);
  await step('every query of the dashboard and every alert finds series', queries);
  await step('everything that was said was heard once and in order', () => traffic.end());
  await step('alerts that were seen', () => series.alarms().then((names) => names.join(', ') || 'none'));
}

async function finish(error) {
  if (error) {
    console.error(`FAILED: ${error.stack ?? error}`);
    console.error((await stack.logs().catch((reason) => String(reason))).split('\n').slice(-80).join('\n'));
  }
  await step('everything is taken down', () => stack.down().then(() => ''));
  console.log(`${error ? 'FAILED' : 'ok'} after ${seconds(began)} s`);
  process.exit(error ? 1 : 0);
}

async function theImage() {
  const [container] = await stack.containers('skein');
  const user = await stack.docker('inspect', '-f', '{{.Config.User}} {{.HostConfig.ReadonlyRootfs}}', container);
  if (user !== '1000:1000 true') throw new Error(`user and read-only root: ${user}`);
  const bytes = await stack.docker('image', 'inspect', '-f', '{{.Size}}', stack.env.IMAGE);
  const base = await stack.docker('image', 'inspect', '-f', '{{.Size}}', 'node:24-trixie-slim');
  const mega = (size) => `${(Number(size) / 1e6).toFixed(0)} MB`;
  return `${mega(bytes)}, of which ${mega(bytes - base)} are not the base image`;
}

async function thePage() {
  const page = await fetch(`${stack.url}/`);
  const html = await page.text();
  const assets = [...html.matchAll(/(?:src|href)="\.?\/?(assets\/[^"]+)"/g)].map(([, path]) => path);
  const answers = await Promise.all(assets.map((path) => fetch(`${stack.url}/${path}`)));
  if (page.status !== 200 || assets.length === 0 || answers.some(({ status }) => status !== 200)) {
    throw new Error(`the page: ${page.status}, assets: ${answers.map(({ status }) => status)}`);
  }
  return `${assets.length} assets`;
}

/** A socket whose log-in is done, with the frames that came. */
async function socketOf(uid) {
  const socket = new WebSocket(`${stack.url.replace('http', 'ws')}/ws?uid=${uid}`, { origin: stack.url });
  const frames = [];
  socket.on('message', (text) => frames.push(JSON.parse(text)));
  socket.on('error', (error) => frames.push({ type: 'broken', message: error.message }));
  const welcome = await until(() => frames.find(({ type }) => type === 'welcome'), `${uid} to be welcome`, 10_000);
  return { uid, socket, frames, node: welcome.node };
}

async function acrossNodes() {
  const people = await Promise.all(Array.from({ length: 40 }, (_, index) => socketOf(`crowd-${index}`)));
  const nodes = new Set(people.map(({ node }) => node));
  if (nodes.size !== NODES) throw new Error(`40 sockets reached ${nodes.size} nodes of ${NODES}`);
  const [first] = people;
  const far = people.find(({ node }) => node !== first.node);
  first.socket.send(JSON.stringify({ receiver: far.uid, data: 'across' }));
  await until(() => far.frames.some(({ data }) => data === 'across'), 'the message on the other node', 5_000);
  for (const { socket } of people) socket.close();
  return [...nodes].length.toString();
}

function post(sender, receiver, data) {
  return fetch(`${stack.url}/v1/messages?uid=${sender}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ receiver, id: randomUUID(), data }),
    signal: AbortSignal.timeout(10_000),
  });
}

async function otherTransports() {
  let streamed = '';
  const stream = request(`${stack.url}/v1/stream?uid=streamer`).end();
  stream.on('response', (response) =>
    response.setEncoding('utf8').on('data', (text) => {
      streamed += text;
    }),
  );
  stream.on('error', (error) => {
    streamed += `(${error.message})`;
  });
  const poll = fetch(`${stack.url}/v1/messages?uid=poller&wait=30`).then((answer) => answer.json());
  const since = performance.now();
  await until(async () => (await post('writer', 'streamer', 'to the stream')).ok, 'a send', 10_000);
  await until(() => streamed.includes('to the stream'), 'the event', 5_000);
  await post('writer', 'poller', 'to the poll');
  const { messages } = await poll;
  stream.destroy();
  if (messages[0]?.data !== 'to the poll') throw new Error(`the poll brought ${JSON.stringify(messages)}`);
  return `${Math.round(performance.now() - since)} ms for both`;
}

async function killed(service) {
  traffic.takeSilence();
  const [container] = await stack.containers(service);
  const pid = await stack.crash(container);
  if (service === 'redis') {
    await until(async () => (await post('writer', 'nobody', 'in vain')).status === 503, 'a send to be refused', 10_000);
  }
  await until(() => stack.isBack(container, pid), `${service} to be started again`, 120_000);
  await traffic.goesOn();
  return `longest silence ${traffic.takeSilence()}`;
}

async function failedOver() {
  traffic.takeSilence();
  const [primary] = await stack.containers('redis');
  await stack.docker('kill', primary);
  await traffic.goesOn();
  const silence = traffic.takeSilence();
  await stack.docker('start', primary);
  const role = () => stack.docker('exec', primary, 'redis-cli', 'role');
  await until(async () => (await role()).startsWith('slave'), 'the old primary to become a replica', 60_000);
  await traffic.goesOn();
  return `longest silence ${silence}`;
}

async function rolled() {
  traffic.takeSilence();
  const old = await stack.containers('skein');
  await stack.up(2 * NODES, '--no-recreate');
  for (const container of old) {
    const code = await stack.retire(container);
    if (code !== 0) throw new Error(`a node that was told to stop ended with ${code}`);
    await traffic.goesOn();
  }
  const now = await stack.containers('skein');
  if (now.length !== NODES || now.some((container) => old.includes(container))) throw new Error(`left: ${now}`);
  return `longest silence ${traffic.takeSilence()}`;
}

async function flood() {
  const { socket, frames } = await socketOf('flooder');
  for (let n = 0; n < 400; n++) socket.send(JSON.stringify({ id: `f${n}`, receiver: 'flooder', data: n }));
  await until(() => frames.some(({ code }) => code === 'rate_limited'), 'rate_limited', 10_000);
  socket.close();
}

async function scraped() {
  const isUp = ({ health }) => health === 'up';
  const nodes = await until(
    async () => {
      const found = await series.targets('skein');
      return found.length === NODES && found.every(isUp) && found;
    },
    `${NODES} targets that are up`,
    60_000,
  );
  await until(async () => (await series.targets('haproxy')).every(isUp), 'the load balancer as a target', 30_000);
  return nodes.map(({ labels }) => labels.instance).join(', ');
}

async function queries() {
  let last = { asked: 0, missing: [] };
  await until(
    async () => {
      last = await series.gaps();
      return last.missing.length === 0;
    },
    () => `series of\n  ${last.missing.join('\n  ')}`,
    60_000,
  );
  return `${last.asked} asked`;
}
