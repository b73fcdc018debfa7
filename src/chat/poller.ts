/** A device that polls this node, and the poll of it that is being answered. */
import type { Conv } from '../protocol/index.js';
import type { ConnId, Reader } from './ports.js';
import type { Waiter } from './registry.js';

/** One poll, until it is answered. */
class Turn {
  /** Another poll came, or the node stops. */
  isOver = false;
  private isWoken = false;
  private listener: (() => void) | undefined;

  wake(): void {
    this.isWoken = true;
    this.listener?.();
  }

  end(): void {
    this.isOver = true;
    this.listener?.();
  }

  /** Forgets earlier calls; what comes from now on counts. */
  listen(): void {
    this.isWoken = false;
  }

  /** Resolves with true when woken since `listen`, with false after `ms`, on abort, or when it is over. */
  async wait(ms: number, gone: AbortSignal): Promise<boolean> {
    if (!this.isWoken && !this.isOver && !gone.aborted) await this.next(ms, gone);
    return this.isWoken && !this.isOver;
  }

  private next(ms: number, gone: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        gone.removeEventListener('abort', done);
        this.listener = undefined;
        resolve();
      };
      const timer = setTimeout(done, ms);
      gone.addEventListener('abort', done);
      this.listener = done;
    });
  }
}

export class Poller implements Waiter {
  /** Ends its presence a while after its last poll. */
  timer: NodeJS.Timeout | undefined;
  readonly convs = new Set<Conv>();
  private turn: Turn | undefined;

  constructor(
    readonly reader: Reader,
    readonly conn: ConnId,
  ) {}

  /** A poll waits, or is looked into. */
  get isBusy(): boolean {
    return this.turn !== undefined;
  }

  /** A poll begins, in place of the one before it. */
  begin(): Turn {
    this.turn?.end();
    this.turn = new Turn();
    return this.turn;
  }

  finish(turn: Turn): void {
    if (this.turn === turn) this.turn = undefined;
  }

  wake(): void {
    this.turn?.wake();
  }

  /** Ends the poll that is being answered. */
  end(): void {
    this.turn?.end();
  }
}
