/** Internet addresses: their usual form, which networks they are in, and whose a request is that came by proxies. */
import { BlockList, isIP, isIPv4 } from 'node:net';

/** A network as an operator writes it: an address, and how many of its bits count. */
export type Network = { readonly address: string; readonly prefix: number };

/** Answers that are remembered: to look one up takes longer than all else that a request is asked. */
const REMEMBERED = 1_024;

export class Networks {
  private readonly list = new BlockList();
  private readonly isIn = remembered((address) => isIP(address) !== 0 && this.list.check(address, familyOf(address)));

  constructor(private readonly networks: readonly Network[]) {
    for (const { address, prefix } of networks) this.list.addSubnet(address, prefix, familyOf(address));
  }

  has(address: string): boolean {
    return this.networks.length > 0 && this.isIn(address);
  }
}

/** A look-up whose last answers are remembered. */
export function remembered(look: (text: string) => boolean): (text: string) => boolean {
  const known = new Map<string, boolean>();
  return (text) => {
    let answer = known.get(text);
    if (answer === undefined) {
      answer = look(text);
      if (known.size >= REMEMBERED) known.clear();
      known.set(text, answer);
    }
    return answer;
  };
}

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIPv4(address) ? 'ipv4' : 'ipv6');

/** An address in its usual form: IPv4 dotted also in IPv6 dress, IPv6 short and without its zone. Else: empty. */
export function plainAddress(text: string): string {
  const address = text.replace(/%.*$/, '');
  const family = isIP(address);
  if (family !== 6) return family === 4 ? address : '';
  const short = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/.exec(short);
  if (mapped === null) return short;
  const [high, low] = [Number.parseInt(mapped[1]!, 16), Number.parseInt(mapped[2]!, 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** The same from the 4 or 16 bytes of an address. */
export function addressOfBytes(bytes: Uint8Array): string {
  if (bytes.length === 4) return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`;
  if (bytes.length !== 16) return '';
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i]! << 8) | bytes[2 * i + 1]!).toString(16));
  return plainAddress(groups.join(':'));
}

/** What counts as one: an IPv4 address, or the /64 of an IPv6 one, all of which one customer of a provider gets. */
export function householdOf(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  if (tail !== undefined) groups.push(...new Array<string>(8 - groups.length - after.length).fill('0'), ...after);
  return `${groups.slice(0, 4).join(':')}::/64`;
}

/**
 * Who a request is from, going back from the peer as far as proxies are to be believed: the first address that is none
 * of theirs. Where `forwarded` ends or breaks off before, the last proxy itself; `isProxy` tells that.
 */
export function clientOf(
  peer: string,
  forwarded: string | undefined,
  proxies: Networks,
): { readonly address: string; readonly isProxy: boolean } {
  if (!proxies.has(peer)) return { address: peer, isProxy: false };
  let last = peer;
  for (const entry of (forwarded ?? '').split(',').reverse()) {
    const address = plainAddress(withoutPort(entry.trim()));
    if (address === '') break;
    if (!proxies.has(address)) return { address, isProxy: false };
    last = address;
  }
  return { address: last, isProxy: true };
}

const withoutPort = (entry: string): string =>
  /^\[([^\]]*)\](?::\d+)?$/.exec(entry)?.[1] ?? /^([\d.]+):\d+$/.exec(entry)?.[1] ?? entry;
