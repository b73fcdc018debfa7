import type { MessageId, Uid } from '../protocol/index.js';

type Place = { readonly seq: number; readonly ts: number };

/** Where the messages of a conversation are whose ids are known. */
export class Ids {
  private readonly places = new Map<string, Place>();

  /** Where a message of this id is, unless it was stored at or before a time. */
  placeOf(sender: Uid, id: MessageId, since: number): Place | undefined {
    const place = this.places.get(`${sender} ${id}`);
    return place !== undefined && place.ts > since ? place : undefined;
  }

  remember(sender: Uid, id: MessageId, place: Place): void {
    const key = `${sender} ${id}`;
    this.places.delete(key);
    this.places.set(key, place);
  }

  /** Forgets what was stored at or before a time. The oldest come first, so it costs what it frees. */
  forget(since: number): void {
    for (const [key, place] of this.places) {
      if (place.ts > since) return;
      this.places.delete(key);
    }
  }

  forgetOf(sender: Uid): void {
    for (const key of this.places.keys()) if (key.startsWith(`${sender} `)) this.places.delete(key);
  }

  /** Knows what others know, in their order. */
  take(others: Ids): void {
    for (const [key, place] of others.places) this.places.set(key, place);
  }
}
