/** The worker processes of a run, spoken to as one. */
import { type ChildProcess, fork } from 'node:child_process';
import type { Answers, Ask, Counts, Order, OrderName, Plan, Reply } from '../orders.js';
import { ROOT } from './root.js';

type Waiting = { readonly resolve: (answer: unknown) => void; readonly reject: (error: Error) => void };

class Worker {
  private readonly child: ChildProcess;
  private readonly waiting = new Map<number, Waiting>();
  private last = 0;

  constructor() {
    this.child = fork(`${ROOT}dist-loadtest/worker.js`, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.child.on('message', (reply: Reply) => this.settle(reply));
    this.child.on('exit', (code) => {
      for (const { reject } of this.waiting.values()) reject(new Error(`a worker ended with ${code}`));
    });
  }

  ask(order: Order): Promise<unknown> {
    const number = ++this.last;
    return new Promise((resolve, reject) => {
      this.waiting.set(number, { resolve, reject });
      this.child.send({ number, order } satisfies Ask);
    });
  }

  end(): void {
    if (this.child.connected) this.child.disconnect();
  }

  private settle({ number, answer, error }: Reply): void {
    const waiting = this.waiting.get(number);
    this.waiting.delete(number);
    if (error === undefined) waiting?.resolve(answer);
    else waiting?.reject(new Error(error));
  }
}

export class Crew {
  private readonly workers: readonly Worker[];

  constructor(size: number) {
    this.workers = Array.from({ length: size }, () => new Worker());
  }

  async prepare(plan: Omit<Plan, 'share' | 'shares'>): Promise<void> {
    const shares = this.workers.length;
    await Promise.all(
      this.workers.map((worker, share) => worker.ask({ do: 'prepare', plan: { ...plan, share, shares } })),
    );
  }

  /** Gives all workers the same order at once. */
  async all<Name extends OrderName>(order: Extract<Order, { do: Name }>): Promise<readonly Answers[Name][]> {
    return (await Promise.all(this.workers.map((worker) => worker.ask(order)))) as Answers[Name][];
  }

  async counts(): Promise<Counts> {
    return sumOf(await this.all<'count'>({ do: 'count' }));
  }

  end(): void {
    for (const worker of this.workers) worker.end();
  }
}

export function sumOf(all: readonly Counts[]): Counts {
  const total = { sent: 0, acked: 0, delivered: 0, refused: 0, broken: 0 };
  for (const each of all) for (const name of Object.keys(total) as (keyof Counts)[]) total[name] += each[name];
  return total;
}

export function differenceOf(before: Counts, after: Counts): Counts {
  return {
    sent: after.sent - before.sent,
    acked: after.acked - before.acked,
    delivered: after.delivered - before.delivered,
    refused: after.refused - before.refused,
    broken: after.broken - before.broken,
  };
}
