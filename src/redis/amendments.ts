/** What was said, changed. */
import { type Item, itemOf, MARK } from '../chat/item.js';
import type { Letter, Outcome } from '../chat/ports.js';
import type { Amendment, Amendments, Original } from '../chat/social-ports.js';
import type { Conv } from '../protocol/index.js';
import { isGreater, lettersOf, outcomesOf, type Stored } from './append.js';
import type { Entry } from './ring.js';
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
    const { args, order } = lettersOf([letter], this.#store.node, MARK.op);
    const items = replace.flatMap(({ seq, was, becomes }) => [seq, was, becomes]);
    let outcome: Outcome | undefined;
    await this.#store.send<Stored | null>('amend', [...args, op, ref, EDITS_MAX, ...items], (reply) => {
      if (reply === null) return;
      const [ts, sent, unheard, ...answers] = reply;
      this.#store.countForwards(sent, unheard);
      outcome = outcomesOf(answers, order, ts)[0] as Outcome;
      this.#store.ring.advance(ts);
      if (!('refused' in outcome || outcome.dup)) this.#store.ring.changed([changeOf(letter, outcome, replace)]);
    });
    return outcome ?? 'changed';
  }
}

function changeOf({ conv, sender, tail }: Letter, { seq, ts }: Place, replace: Amendment['replace']): Entry {
  const mark = MARK.op + (isGreater(conv, sender) ? MARK.greater : 0);
  const becomes = replace.map((each) => [each.seq, each.becomes] as const);
  return { conv, seq, item: itemOf(mark, conv, seq, ts, tail), becomes };
}

type Place = { readonly seq: number; readonly ts: number };
