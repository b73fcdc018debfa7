/**
 * The process of the proxies of a run. They have one of their own: were they where the clients are, a busy crowd would
 * look to the nodes like a slow Redis.
 */
import type { Damage, ProxyAnswer, ProxyOrder } from './chaos/remote-proxy.js';
import { TcpProxy } from './chaos/tcp-proxy.js';

const proxies = new Map<number, TcpProxy>();

async function obey({ proxy: id, ...order }: ProxyOrder): Promise<number | undefined> {
  if (order.do === 'open') {
    const proxy = await TcpProxy.to(order.port);
    proxies.set(id, proxy);
    return proxy.port;
  }
  const proxy = proxies.get(id);
  if (proxy === undefined) throw new Error(`there is no proxy ${id}`);
  inflict(proxy, order);
  return undefined;
}

function inflict(proxy: TcpProxy, order: Damage): void {
  switch (order.do) {
    case 'cuts':
      return proxy.cuts('all', order.part);
    case 'turns':
      return proxy.turnsTo(order.port);
    case 'refuses':
      return proxy.refuses();
    case 'delays':
      return proxy.delays(order.ms);
    case 'swallows':
      return proxy.swallowsReplies('commands');
    case 'deafens':
      return proxy.deafens('subscribers');
    case 'blackholes':
      return proxy.blackholes();
    case 'drops':
      return proxy.dropsPushesOf(() => Math.random() < order.part);
    case 'heals':
      return proxy.heals();
  }
}

process.on('message', ({ number, order }: { readonly number: number; readonly order: ProxyOrder }) => {
  const answer = (told: Omit<ProxyAnswer, 'number'>): void => void process.send?.({ number, ...told });
  obey(order).then(
    (port) => answer(port === undefined ? {} : { port }),
    (error) => answer({ error: String(error) }),
  );
});
process.once('disconnect', () => process.exit(0));
// Whoever started this ends it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
