/** Where users are: the two of a pair on different nodes, and each side of all pairs spread over all of them. */
import type { NodeAddress } from '../orders.js';

export function nodeOf(index: number, nodes: readonly NodeAddress[]): NodeAddress {
  return nodes[((index >> 1) + (index & 1)) % nodes.length]!;
}
