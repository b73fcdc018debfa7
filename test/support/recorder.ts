import { type Item, placeOf } from '../../src/chat/item.js';
import type { Listener } from '../../src/chat/ports.js';
import { type Conv, isDm, sidesOf, type Uid } from '../../src/protocol/index.js';
import { until } from './until.js';

/** A listener that writes down what it is told, and holds whom the test says. */
export class Recorder implements Listener {
  /** The users of whom the node holds a connection. */
  readonly holds = new Set<Uid>();
  readonly direct: Item[] = [];
  readonly feeds: { readonly conv: Conv; readonly item: Item; readonly ref: number }[] = [];
  readonly frames: { readonly uid: Uid; readonly frame: string }[] = [];
  readonly roomFrames: { readonly conv: Conv; readonly sender: Uid; readonly frame: string }[] = [];
  readonly memberships: { readonly uid: Uid; readonly conv: Conv; readonly since: number | undefined }[] = [];
  readonly lost: number[] = [];
  readonly words: string[] = [];
  readonly gone: Uid[] = [];
  /** The names of all calls, in order. */
  readonly calls: string[] = [];
  returns = 0;

  onDirect(item: Item): boolean {
    this.calls.push('direct');
    this.direct.push(item);
    const { conv } = placeOf(item);
    return isDm(conv) && sidesOf(conv).some((uid) => this.holds.has(uid));
  }

  onFeed(conv: Conv, item: Item, ref: number): void {
    this.calls.push('feed');
    this.feeds.push({ conv, item, ref });
  }

  onFrame(uid: Uid, frame: string): boolean {
    this.calls.push('frame');
    this.frames.push({ uid, frame });
    return this.holds.has(uid);
  }

  onRoomFrame(conv: Conv, sender: Uid, frame: string): void {
    this.calls.push('roomFrame');
    this.roomFrames.push({ conv, sender, frame });
  }

  onMembership(uid: Uid, conv: Conv, since: number | undefined): void {
    this.calls.push('membership');
    this.memberships.push({ uid, conv, since });
  }

  onLost(since: number): void {
    this.calls.push('lost');
    this.lost.push(since);
  }

  onReturn(): void {
    this.calls.push('return');
    this.returns++;
  }

  onWord(word: string): void {
    this.calls.push('word');
    this.words.push(word);
  }

  onGone(uids: readonly Uid[]): void {
    this.calls.push('gone');
    this.gone.push(...uids);
  }

  async until(condition: (heard: this) => boolean, what: string): Promise<void> {
    await until(
      () => condition(this),
      () => `${what}; heard so far: ${this.calls.join(' ')}`,
    );
  }
}
