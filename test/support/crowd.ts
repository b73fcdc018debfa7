import { Connection } from './client.js';
import { dmOf } from './frame.js';
import { type Account, Ledger } from './ledger.js';
import type { NodeProcess } from './process.js';
import { ResilientClient } from './resilient.js';
import type { Town } from './town.js';
import { until } from './until.js';

export interface CrowdPlan {
  readonly people: number;
  /** Sends a second of the whole crowd; every fourth goes to the room. */
  readonly rate: number;
}

/** People who talk all the time, each to the next and all in one room, whatever happens to nodes and Redis. */
export class Crowd {
  readonly ledger = new Ledger();
  readonly clients: ResilientClient[];
  private readonly room = 'square';
  private talking: NodeJS.Timeout | undefined;
  private turn = 0;

  private constructor(
    private readonly plan: CrowdPlan,
    nodes: () => readonly NodeProcess[],
  ) {
    this.clients = Array.from({ length: plan.people }, (_, index) => {
      return new ResilientClient(`c${index}`, nodes, this.ledger, index % 2 ? 'auto' : 'manual');
    });
    for (const [index, client] of this.clients.entries()) {
      this.ledger.expects(dmOf(client.uid, this.next(index)), this.next(index));
      this.ledger.expects(`room:${this.room}`, client.uid);
    }
  }

  /** Everybody has joined the room and is connected when this resolves. */
  static async in(t: Town, plan: CrowdPlan): Promise<Crowd> {
    const crowd = new Crowd(plan, () => t.living);
    for (const client of crowd.clients) {
      const line = await Connection.open(t.node(1).wsUrl({ uid: client.uid, ack: 'manual' }));
      await line.request({ type: 'join', room: crowd.room });
      await line.close();
      client.starts();
    }
    await crowd.isTogether();
    return crowd;
  }

  isTogether(deadline = 10_000): Promise<boolean> {
    return until(() => this.clients.every((client) => client.isConnected), 'everybody to be connected', deadline);
  }

  talks(): void {
    this.talking = setInterval(() => this.saysNext(), 1_000 / this.plan.rate);
  }

  /** Stops talking, waits until everything is answered and everything promised came, and gives the account. */
  async settles(deadline = 15_000): Promise<Account> {
    clearInterval(this.talking);
    const account = (): string => JSON.stringify({ ...this.ledger.account, violations: this.violations.slice(0, 20) });
    const isAnswered = (): boolean => this.clients.every((client) => client.unanswered === 0);
    await until(isAnswered, () => `every send to be answered: ${account()}`, deadline);
    await until(
      () => this.ledger.account.lost === 0,
      () => `everything promised to come: ${account()}`,
      deadline,
    );
    return this.ledger.account;
  }

  get violations(): string[] {
    return this.clients.flatMap((client) => client.violations);
  }

  get reconnects(): number {
    return this.clients.reduce((sum, client) => sum + client.reconnects, 0);
  }

  async leaves(): Promise<void> {
    clearInterval(this.talking);
    await Promise.all(this.clients.map((client) => client.stops()));
  }

  private saysNext(): void {
    const index = this.turn++ % this.clients.length;
    const toRoom = Math.floor(this.turn / this.clients.length) % 4 === 0;
    this.clients[index]!.says(toRoom ? { room: this.room } : { receiver: this.next(index) });
  }

  private next(index: number): string {
    return `c${(index + 1) % this.plan.people}`;
  }
}
