/** Typed events: `on` gives the way back, and one failing listener never keeps an event from the others. */

export type Listener<T> = (value: T) => unknown;

export class Emitter<Events> {
  readonly #listeners = new Map<keyof Events, Set<Listener<never>>>();

  /** Listens until the returned function is called. */
  on<K extends keyof Events>(event: K, listener: Listener<Events[K]>): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener));
    return () => {
      listeners.delete(listener);
    };
  }

  /**
   * Calls the listeners in the order in which they came. Resolves when every promise that they returned has settled;
   * undefined where none returned one. What a listener throws is the application's bug: it is thrown on, outside.
   */
  emit<K extends keyof Events>(event: K, value: Events[K]): Promise<void> | undefined {
    const pending: Promise<unknown>[] = [];
    for (const listener of this.#listeners.get(event) ?? []) {
      try {
        const result = (listener as Listener<Events[K]>)(value);
        if (result instanceof Promise) pending.push(result.catch(throwOutside));
      } catch (error) {
        throwOutside(error);
      }
    }
    return pending.length === 0 ? undefined : Promise.all(pending).then(() => undefined);
  }
}

function throwOutside(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
