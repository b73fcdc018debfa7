import type { Frame } from './frame.js';
import { type Answer, type ErrorBody, http } from './http.js';
import type { NodeProcess } from './process.js';
import { until } from './until.js';

export interface Poll {
  readonly messages: readonly Frame[];
  readonly cursor: string;
}

/** One device of one user that only polls; each request may go to another node. */
export class Poller {
  constructor(
    private readonly node: (number: number) => NodeProcess,
    readonly uid: string,
    readonly device = 'default',
  ) {}

  /** One `GET /v1/messages`, as it is answered. */
  asks(node: number, query: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<Answer<Poll & ErrorBody>> {
    const text = new URLSearchParams({ uid: this.uid, device: this.device, ...query });
    return http(`${this.node(node).url}/v1/messages?${text}`, signal ? { signal } : {});
  }

  /** A poll that must succeed: short, unless `wait` says otherwise; `ack` acknowledges an earlier answer. */
  async polls(node: number, query: { readonly wait?: number; readonly ack?: string } = {}): Promise<Poll> {
    const { wait = 0, ack } = query;
    const answer = await this.asks(node, { wait: String(wait), ...(ack !== undefined && { ack }) });
    if (answer.status !== 200) throw new Error(`the poll of ${this.uid} was answered ${answer.status} ${answer.text}`);
    return answer.body;
  }

  /** Everything pending for this device, page by page, each acknowledged by the next poll; nodes take turns. */
  async collects(count: number): Promise<Frame[]> {
    const got: Frame[] = [];
    let ack: string | undefined;
    let turn = 1;
    await until(
      async () => {
        const poll: Poll = await this.polls(turn++, ack === undefined ? {} : { ack });
        got.push(...poll.messages);
        ack = poll.cursor;
        return got.length >= count;
      },
      () => `${count} messages by polling; ${got.length} came`,
    );
    return got;
  }
}
