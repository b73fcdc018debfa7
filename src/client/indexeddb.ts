/** An outbox in the browser's IndexedDB: it survives reloads and crashes, and the tabs of one browser share it. */
import type { MessageId } from '../protocol/index.js';
import type { OutboxEntry, OutboxStorage } from './storage.js';

type Request<T> = {
  readonly result: T;
  readonly error: unknown;
  onsuccess: (() => void) | null;
  onerror: (() => void) | null;
};
type Store = {
  put(value: unknown): Request<unknown>;
  delete(key: string): Request<unknown>;
  getAll(): Request<unknown[]>;
};
type Transaction = {
  objectStore(name: string): Store;
  readonly error: unknown;
  oncomplete: (() => void) | null;
  onabort: (() => void) | null;
};
type Database = {
  createObjectStore(name: string, options: { readonly keyPath: string }): unknown;
  transaction(name: string, mode: string, options?: { readonly durability: string }): Transaction;
  close(): void;
  onversionchange: (() => void) | null;
};
type Factory = { open(name: string, version: number): Request<Database> & { onupgradeneeded: (() => void) | null } };

const STORE = 'outbox';

/**
 * `name`: one database for each user and device, such as `skein-outbox-A`. Rejects, at the first use, where the browser
 * has no IndexedDB or refuses it (some private windows do).
 */
export function indexedDbStorage(name: string): OutboxStorage {
  let opening: Promise<Database> | undefined;

  function open(): Promise<Database> {
    const { indexedDB } = globalThis as unknown as { readonly indexedDB?: Factory };
    if (indexedDB === undefined) return Promise.reject(new Error('no IndexedDB here'));
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'id' });
    return resultOf(request).then((database) => {
      // A later version in another tab must not wait for this one.
      database.onversionchange = () => {
        database.close();
        opening = undefined;
      };
      return database;
    });
  }

  async function transact<T>(mode: string, act: (store: Store) => Request<T>): Promise<T> {
    opening ??= open();
    const database = await opening.catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    const transaction = database.transaction(STORE, mode, { durability: 'strict' });
    const result = resultOf(act(transaction.objectStore(STORE)));
    await new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
    return result;
  }

  return {
    load: () => transact('readonly', (store) => store.getAll() as Request<OutboxEntry[]>),
    put: async (entry) => void (await transact('readwrite', (store) => store.put(entry))),
    delete: async (id: MessageId) => void (await transact('readwrite', (store) => store.delete(id))),
  };
}

function resultOf<T>(request: Request<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
