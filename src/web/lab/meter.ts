/** Counts what a client asks of the network: requests, bytes, and how long each message took. */
import { signal } from '@preact/signals';

/** The headers of a request and its answer, which a script cannot see: a usual browser's and this server's. */
const HEADERS_BYTES = 600;
/** Around a frame: 2 to 8 bytes one way, with the mask 4 more the other. */
const FRAME_BYTES = 6;
const KEPT = 200;

const sizeOf = (text: string): number => new TextEncoder().encode(text).length;

export class Meter {
  readonly requests = signal(0);
  readonly bytes = signal(0);
  readonly latencies = signal<readonly number[]>([]);
  readonly messages = signal(0);

  /** A message came that was sent then, by the same clock, in milliseconds. */
  arrived(sentAt: number): void {
    this.messages.value++;
    this.latencies.value = [...this.latencies.value, performance.now() - sentAt].slice(-KEPT);
  }

  readonly fetch: typeof fetch = async (input, init) => {
    this.requests.value++;
    this.#add(HEADERS_BYTES + (typeof init?.body === 'string' ? sizeOf(init.body) : 0));
    const response = await fetch(input, init);
    if (response.body === null) return response;
    const counted = response.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform: (chunk, controller) => {
          this.#add(chunk.length);
          controller.enqueue(chunk);
        },
      }),
    );
    return new Response(counted, response);
  };

  /** A WebSocket that counts for this meter. */
  get socketClass(): typeof WebSocket {
    const count = (data: unknown): void => this.#add(FRAME_BYTES + (typeof data === 'string' ? sizeOf(data) : 0));
    const opened = (): void => {
      this.requests.value++;
      this.#add(HEADERS_BYTES);
    };
    return class extends WebSocket {
      constructor(url: string | URL) {
        super(url);
        opened();
        this.addEventListener('message', ({ data }) => count(data));
      }

      override send(data: string): void {
        count(data);
        super.send(data);
      }
    };
  }

  #add(bytes: number): void {
    this.bytes.value += bytes;
  }
}

export function medianOf(values: readonly number[]): number | undefined {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}
