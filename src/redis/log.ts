/** The logs. */
import { seqOf } from '../chat/item.js';
import type { Letter, Log, Outcome, PageRequest, Reader, Slice, Unavailable } from '../chat/ports.js';
import type { Conv } from '../protocol/index.js';
import { lettersOf, outcomesOf, repeatedIn, type Stored } from './append.js';
import { Batches } from './batches.js';
import type { Store } from './store.js';

/** Letters of one script call; it blocks Redis for about 10 µs each. */
const BATCH = 512;
/** Readings of one script call, and the bytes of all but the first together: Redis serves nobody else meanwhile. */
const READINGS = 32;
const READ_BYTES = 524_288;

type Reading = {
  readonly conv: Conv;
  readonly after: number | Reader;
  readonly limit: number;
  readonly bytes: number;
};
type Read = readonly [head: number, origin: number, gone: number, why: number, after: number, items: string];

export class RedisLog implements Log {
  /** A call alone costs Redis and the node five times what a letter more in it does; see docs/performance.md. */
  readonly gap = 3;
  readonly #store: Store;
  readonly #readings = new Batches<Reading, Slice>(READINGS, (readings) => this.#read(readings), 0);

  constructor(store: Store) {
    this.#store = store;
  }

  async append(letters: readonly Letter[]): Promise<readonly Outcome[]> {
    const outcomes: Outcome[] = [];
    for (let i = 0; i < letters.length; i += BATCH) {
      outcomes.push(...(await this.#appendSome(letters.slice(i, i + BATCH))));
    }
    return outcomes;
  }

  async #appendSome(letters: readonly Letter[]): Promise<readonly Outcome[]> {
    const { args, order } = lettersOf(letters, this.#store.node);
    let outcomes: readonly Outcome[] = [];
    await this.#store.send<Stored>('append', args, ([ts, sent, unheard, ...answers]) => {
      this.#store.countForwards(sent, unheard);
      outcomes = outcomesOf(answers, order, ts);
      this.#store.ring.stored(letters, outcomes, repeatedIn(answers));
      this.#store.ring.advance(ts);
    });
    return outcomes;
  }

  read(conv: Conv, after: number | Reader, limit: number, bytes: number): Promise<Slice> {
    return this.#readings.add({ conv, after, limit, bytes });
  }

  async #read(readings: readonly Reading[]): Promise<readonly (Slice | Unavailable)[]> {
    const args = readings.flatMap(({ conv, after, limit, bytes }) => {
      const from = typeof after === 'number' ? [after, '', ''] : ['', after.uid, after.device];
      return [conv, limit, bytes, ...from];
    });
    const reply = (await this.#store.run('read', [READ_BYTES, ...args])) as (Read | string)[];
    return reply.map((read) => (typeof read === 'string' ? this.#store.broken('read', read) : sliceOf(read)));
  }

  async page(conv: Conv, page: PageRequest): Promise<{ readonly items: readonly string[]; readonly more: boolean }> {
    const { before = '', after = '', limit, bytes, floor } = page;
    const reply = await this.#store.run('page', [conv, limit, bytes, before, after, floor]);
    const [more, items] = reply as [number, string[]];
    return { items, more: more === 1 };
  }

  async heads(convs: readonly Conv[]): Promise<readonly number[]> {
    if (convs.length === 0) return [];
    const heads: number[] = [];
    for (let i = 0; i < convs.length; i += BATCH) {
      heads.push(...((await this.#store.run('heads', convs.slice(i, i + BATCH))) as number[]));
    }
    return heads;
  }
}

const sliceOf = ([head, origin, gone, why, after, items]: Read): Slice => ({
  ...{ items: items === '' ? [] : items.split('\n'), head, origin, gone, after },
  goneBy: why === 1 ? 'expired' : 'retention',
});

/** The newest item of a log, if its seq is the expected one or higher. */
export async function newest(log: Log, conv: Conv, atLeast: number): Promise<string | undefined> {
  const { items } = await log.page(conv, { limit: 1, bytes: 1, floor: 0 });
  const item = items.at(-1);
  return item !== undefined && seqOf(item) >= atLeast ? item : undefined;
}
