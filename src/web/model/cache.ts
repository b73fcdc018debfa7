/** What the page shows at once after a reload: the newest messages of each conversation, in IndexedDB. */
import type { Kept } from './chat.js';

const STORE = 'chats';

const done = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** `name`: one database for each user and device. Every method rejects where the browser refuses to store. */
export class Cache {
  readonly #name: string;
  readonly #database: Promise<IDBDatabase>;

  constructor(name: string) {
    this.#name = name;
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'conv' });
    this.#database = done(request).then((database) => {
      database.onversionchange = () => database.close();
      return database;
    });
  }

  async load(): Promise<readonly Kept[]> {
    const store = (await this.#database).transaction(STORE).objectStore(STORE);
    return done(store.getAll() as IDBRequest<Kept[]>);
  }

  async save(chats: readonly Kept[]): Promise<void> {
    const transaction = (await this.#database).transaction(STORE, 'readwrite');
    for (const chat of chats) transaction.objectStore(STORE).put(chat);
    // By itself it would be committed after the puts are answered, and ends for nothing where the page goes before.
    transaction.commit();
  }

  async forget(conv: string): Promise<void> {
    (await this.#database).transaction(STORE, 'readwrite').objectStore(STORE).delete(conv);
  }

  async destroy(): Promise<void> {
    (await this.#database).close();
    await done(indexedDB.deleteDatabase(this.#name));
  }
}
