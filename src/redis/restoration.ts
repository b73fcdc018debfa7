/**
 * What a node does before it uses a connection to a Redis process that it did not know: a failover may have lost the
 * newest entries. It brings what it kept of them; when every node has, or two seconds have passed and nobody who is
 * there is still at it, all of it is put back, and then sends begin new runs. Until then its connections are not up: sends are answered unavailable.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { Conv } from '../protocol/index.js';
import { cleanse } from './cleanse.js';
import { bounded } from './connect.js';
import { argumentsOf } from './devices.js';
import { runIdOf } from './inspect.js';
import type { Entry, Ring } from './ring.js';
import type { Argument, Reply, ScriptName, Scripts } from './scripts.js';
import type { Store } from './store.js';

/** How long sends wait for nodes that may be gone, and for those that are there and have much to bring. */
const HOLD_MS = 2_000;
const COMING_MS = 10_000;
const ASK_MS = 20;
/** A log of many thousand entries is put back in one step. */
const STEP_MS = 5_000;
/** Longest that all of it may take before it is tried again on another connection. */
const JOIN_MS = 15_000;
/** Life of what was brought, should everybody die before it is put back. */
const KEPT_MS = 600_000;
const SEQS_AT_ONCE = 2_000;
const BYTES_AT_ONCE = 262_144;
const ENTRIES_AT_ONCE = 1_000;
const MARKS_AT_ONCE = 200;

export class Restoration {
  readonly #store: Store;
  readonly #scripts: Scripts;
  readonly #ring: Ring;
  /** The Redis process that has all that this node kept. */
  #known: string | undefined;
  /** And the one that has the marks, too. */
  #marked: string | undefined;

  constructor(store: Store, scripts: Scripts, ring: Ring) {
    this.#store = store;
    this.#scripts = scripts;
    this.#ring = ring;
  }

  /** For the connection that stores. */
  async join(client: Redis): Promise<void> {
    const began = performance.now();
    const runId = await this.#greet(client);
    const isNew = runId !== this.#known;
    const entries = isNew ? this.#ring.entries() : [];
    const missing = await this.#missing(client, entries);
    await this.#bring(client, missing);
    const sanctions = isNew ? await this.#bringSanctions(client) : 0;
    const brought = performance.now();
    await this.#until(client, [this.#store.node, isNew ? this.#ring.given(entries) : 0]);
    const waited = performance.now();
    const restored = await this.#restore(client);
    if (isNew) this.#ring.renew();
    this.#known = runId;
    if (missing.length === 0 && restored === 0 && sanctions === 0) return;
    const ms = Math.round(brought - began + performance.now() - waited);
    this.#store.meter.observe('skein_restore_seconds', ms / 1_000);
    const counts = { kept: entries.length, missing: missing.length, restored, sanctions };
    this.#store.log.warn(
      { ...counts, ms, waited: Math.round(waited - brought) },
      'Redis had lost entries: they were put back',
    );
  }

  /** For a connection that reads: all that is put back is there when this resolves. */
  async wait(client: Redis): Promise<void> {
    const runId = await this.#greet(client);
    await this.#until(client, ['', 0], true);
    if (runId !== this.#marked) await this.#markAgain(client);
    this.#marked = runId;
  }

  async #greet(client: Redis): Promise<string> {
    const runId = await runIdOf(client);
    const isFirst = await this.#run(client, 'epoch', [runId, this.#store.node, HOLD_MS, COMING_MS]);
    if (isFirst === 1) void cleanse(client, this.#store.log);
    return runId;
  }

  async #until(client: Redis, question: readonly Argument[], isAll = false): Promise<void> {
    const deadline = performance.now() + JOIN_MS;
    for (;;) {
      const [isOver, left] = (await this.#run(client, 'brought', question)) as [number, number];
      if (isOver === 1 && (!isAll || left === 0)) return;
      if (performance.now() > deadline) throw new Error('what other nodes kept is not put back yet');
      await delay(ASK_MS);
    }
  }

  async #missing(client: Redis, kept: readonly Entry[]): Promise<readonly Entry[]> {
    const entries = kept.filter(({ razes }) => !razes);
    const missing = kept.filter(({ razes }) => razes);
    for (let i = 0; i < entries.length; i += SEQS_AT_ONCE) {
      const groups = byConversation(entries.slice(i, i + SEQS_AT_ONCE));
      const args = [...groups].flatMap(([conv, some]) => [conv, some.length, ...some.map(({ seq }) => seq)]);
      const reply = (await this.#run(client, 'missing', args)) as number[];
      missing.push(...[...groups.values()].flat().filter((_, k) => reply[k] === 1));
    }
    return missing;
  }

  async #bring(client: Redis, entries: readonly Entry[]): Promise<void> {
    let args: Argument[] = [KEPT_MS];
    let bytes = 0;
    for (const [i, entry] of entries.entries()) {
      const text = textOf(entry);
      args.push(entry.conv, entry.seq, text);
      bytes += text.length;
      if (bytes < BYTES_AT_ONCE && i + 1 < entries.length) continue;
      await this.#run(client, 'bring', args);
      args = [KEPT_MS];
      bytes = 0;
    }
  }

  /** Returns how many of them had been lost. */
  async #bringSanctions(client: Redis): Promise<number> {
    const args = this.#ring.sanctions.flatMap(({ at, sanction }) => [at, JSON.stringify(sanction)]);
    if (args.length === 0) return 0;
    return (await this.#run(client, 'sanctions', [KEPT_MS, ...args])) as number;
  }

  /** Nothing goes back, so what moved on meanwhile stays where it is. */
  async #markAgain(client: Redis): Promise<void> {
    const marks = this.#ring.marks.map((mark) => ({ ...mark, announce: false }));
    for (let i = 0; i < marks.length; i += MARKS_AT_ONCE) {
      const args = [this.#store.node, this.#store.limits.deviceMs, 1];
      await this.#run(client, 'mark', [...args, ...argumentsOf(marks.slice(i, i + MARKS_AT_ONCE))]);
    }
  }

  /** Every node helps. Returns how many entries it put back. */
  async #restore(client: Redis): Promise<number> {
    const { node, limits, meter } = this.#store;
    const args = [node, limits.retentionMs, ENTRIES_AT_ONCE];
    let total = 0;
    for (;;) {
      const reply = (await this.#run(client, 'restore', args)) as number[];
      const [left = 0, restored = 0, failed = 0, sent = 0, unheard = 0, late = 0] = reply;
      total += restored;
      meter.cell('skein_restored_total').value += restored;
      meter.cell('skein_restored_late_total').value += late;
      this.#store.countForwards(sent, unheard);
      if (failed > 0) this.#store.log.error({ conversations: failed }, 'could not be put back');
      if (left === 0) return total;
    }
  }

  #run(client: Redis, name: ScriptName, args: readonly Argument[]): Promise<Reply> {
    return bounded(this.#scripts.evaluate(client, name, args), STEP_MS);
  }
}

function byConversation(entries: readonly Entry[]): ReadonlyMap<Conv, readonly Entry[]> {
  const groups = new Map<Conv, Entry[]>();
  for (const entry of entries) {
    const group = groups.get(entry.conv);
    if (group === undefined) groups.set(entry.conv, [entry]);
    else group.push(entry);
  }
  return groups;
}

/** Numbers as text: Lua's JSON would round them. */
const textOf = ({ seq, item, becomes = [], roles, meta, razes }: Entry): string =>
  JSON.stringify({
    seq: String(seq),
    item,
    becomes: becomes.map(([at, to]) => [String(at), to]),
    roles,
    meta: meta && [meta.name.toWellFormed(), meta.private ? '1' : '0'],
    razes,
  });
