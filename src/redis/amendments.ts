/** What was said, changed. */
import { type Item, MARK } from '../chat/item.js';
import type { Outcome } from '../chat/ports.js';
import type { Amendment, Amendments, Original } from '../chat/social-ports.js';
import type { Conv } from '../protocol/index.js';
import { lettersOf, outcomesOf, type Stored } from './append.js';
import type { Store } from './store.js';

/** A recall reads and empties all edits of a message, so there must be an end to them. */
const EDITS_MAX = 128;

export class RedisAmendments implements Amendments {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async original(conv: Conv, seq: number): Promise<Original> {
    const [item, ...flat] = (await this.#store.run('original', [conv, seq])) as [Item | null, ...unknown[]];
    const edits: { seq: number; item: Item }[] = [];
    for (let i = 0; i < flat.length; i += 2) edits.push({ seq: flat[i] as number, item: flat[i + 1] as Item });
    return { item: item ?? undefined, edits };
  }

  /** Over the connection of the messages: what one connection says and then changes is stored in that order. */
  async amend({ letter, op, ref, replace }: Amendment): Promise<Outcome | 'changed'> {
    const { node, limits } = this.#store;
    const { args, order } = lettersOf([letter], node, limits, MARK.op);
    const items = replace.flatMap(({ seq, was, becomes }) => [seq, was, becomes]);
    const reply = await this.#store.send('amend', [...args, op, ref, EDITS_MAX, ...items]);
    if (reply === null) return 'changed';
    const [ts, sent, unheard, ...answers] = reply as Stored;
    this.#store.countForwards(sent, unheard);
    const [outcome] = outcomesOf(answers, order, ts);
    return outcome as Outcome;
  }
}
