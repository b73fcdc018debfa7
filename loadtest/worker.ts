/** A worker process of the load generator: does what the rig orders, and answers. */
import { Crowd } from './client/crowd.js';
import type { Ask, Order, Reply } from './orders.js';

let crowd: Crowd | undefined;

async function obey(order: Order): Promise<unknown> {
  if (order.do === 'prepare') {
    crowd = new Crowd(order.plan);
    return null;
  }
  if (crowd === undefined) throw new Error(`${order.do} before prepare`);
  switch (order.do) {
    case 'join':
      return crowd.join(order.concurrency);
    case 'furnish':
      return crowd.furnish(order.known, order.rooms, order.concurrency);
    case 'connect':
      return crowd.connect(order.from, order.to, order.step, order.concurrency);
    case 'seed':
      return crowd.seed(order.messages);
    case 'disconnect':
      return crowd.disconnect();
    case 'start':
      return crowd.start();
    case 'count':
      return crowd.tally.counts();
    case 'sample':
      return crowd.tally.sample(order.reset);
    case 'stop':
      return crowd.stop();
    case 'finish':
      return crowd.finish(order.finals);
  }
}

function reply(message: Reply): void {
  // The rig may be gone already; then so is this process, by `disconnect`.
  if (process.connected) process.send?.(message);
}

process.on('message', ({ number, order }: Ask) => {
  obey(order).then(
    (answer) => reply({ number, answer }),
    (error: unknown) => reply({ number, error: error instanceof Error ? (error.stack ?? error.message) : `${error}` }),
  );
});
process.on('disconnect', () => process.exit(0));
