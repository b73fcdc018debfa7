import type { Item } from '../chat/item.js';
import type { Listener } from '../chat/ports.js';
import type { Conv, Uid } from '../protocol/index.js';

type Hint = (listener: Listener) => void;

/**
 * The hints of the one node that there is. They wait until the step that made them is complete, and leave in order
 * even if a listener's own work makes new ones meanwhile.
 */
export class Hints {
  listener: Listener | undefined;
  private readonly followed = new Map<Conv, number>();
  private readonly waiting: Hint[] = [];
  private isLeaving = false;

  follow(conv: Conv): void {
    this.followed.set(conv, (this.followed.get(conv) ?? 0) + 1);
  }

  unfollow(conv: Conv): void {
    const follows = this.followed.get(conv) ?? 0;
    if (follows > 1) this.followed.set(conv, follows - 1);
    else this.followed.delete(conv);
  }

  feed(conv: Conv, item: Item, ref: number): void {
    if (this.followed.has(conv)) this.waiting.push((listener) => listener.onFeed(conv, item, ref));
  }

  membership(uid: Uid, conv: Conv, since: number | undefined): void {
    this.waiting.push((listener) => listener.onMembership(uid, conv, since));
  }

  roomFrame(conv: Conv, sender: Uid, frame: string): void {
    if (this.followed.has(conv)) this.waiting.push((listener) => listener.onRoomFrame(conv, sender, frame));
  }

  word(word: string): void {
    this.waiting.push((listener) => listener.onWord(word));
  }

  /** Lets everything out that waits. */
  leave(): void {
    if (this.isLeaving) return;
    this.isLeaving = true;
    try {
      for (let hint = this.waiting.shift(); hint !== undefined; hint = this.waiting.shift()) {
        if (this.listener !== undefined) hint(this.listener);
      }
    } finally {
      this.isLeaving = false;
    }
  }
}
