/** What the message box holds for a device that looks and never acknowledges. */
import { useEffect, useState } from 'preact/hooks';
import type { MessageFrame } from '../../client/index.js';
import { addressIn, headersOf, type Session } from '../model/session.js';
import { gistOf } from '../model/text.js';
import { timeOf } from '../words/index.js';
import { labWords } from './words.js';

const LOOK_MS = 2_000;
const SHOWN = 6;

type Pending = { readonly messages: readonly MessageFrame[]; readonly cursor: string };

async function look(session: Session, ack?: string): Promise<Pending> {
  const query = { device: 'lab-box', wait: '0', ...(ack && { ack }) };
  const response = await fetch(addressIn(session, 'v1/messages', query), { headers: headersOf(session) });
  if (!response.ok) throw new Error(String(response.status));
  return (await response.json()) as Pending;
}

export function Box({ session }: { readonly session: Session }) {
  const t = labWords.value;
  const [pending, setPending] = useState<Pending>({ messages: [], cursor: '' });
  const [problem, setProblem] = useState('');
  const show = (ack?: string): void =>
    void look(session, ack).then(
      (found) => {
        setPending(found);
        setProblem('');
      },
      (error: unknown) => setProblem(String(error)),
    );
  useEffect(() => {
    show();
    const clock = setInterval(() => show(), LOOK_MS);
    return () => clearInterval(clock);
  }, []);
  const messages = pending.messages.filter(({ op }) => op === undefined);
  return (
    <section class="card">
      <h2>{t.box}</h2>
      <p>{t.boxText}</p>
      <p class="count" role="status">
        {problem || (messages.length === 0 ? t.empty : t.pending(messages.length))}
      </p>
      <ul class="box">
        {messages.slice(-SHOWN).map(({ seq, ts, data }) => (
          <li key={seq}>
            <time>{timeOf(ts)}</time> <bdi>{gistOf(data)}</bdi>
          </li>
        ))}
      </ul>
      <div class="acts">
        <button type="button" class="secondary" disabled={messages.length === 0} onClick={() => show(pending.cursor)}>
          {t.collect}
        </button>
      </div>
    </section>
  );
}
