/** The life of a WebSocket: its four states, as the browser tells them. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { addressIn, type Session } from '../model/session.js';
import { labWords } from './words.js';

const LINES = 8;

export function Life({ session }: { readonly session: Session }) {
  const t = labWords.value;
  const socket = useRef<WebSocket | undefined>(undefined);
  const [state, setState] = useState<number>(3);
  const [lines, setLines] = useState<readonly string[]>([]);
  const say = (line: string): void => setLines((before) => [...before, line].slice(-LINES));
  useEffect(() => () => socket.current?.close(), []);

  function look(): void {
    setState(socket.current?.readyState ?? 3);
  }

  function open(): void {
    const url = addressIn(session, 'ws', { device: 'lab-life', ...(session.token && { token: session.token }) });
    const made = new WebSocket(url.replace(/^http/, 'ws'));
    socket.current = made;
    say(`new WebSocket(…) → readyState ${made.readyState}`);
    look();
    made.onopen = () => {
      say(`onopen → readyState ${made.readyState}`);
      look();
    };
    made.onmessage = ({ data }) => say(`onmessage ${String(data).slice(0, 80)}`);
    made.onclose = ({ code }) => {
      say(`onclose ${code} → readyState ${made.readyState}`);
      look();
    };
  }

  function close(): void {
    socket.current?.close(1000);
    say(`close() → readyState ${socket.current?.readyState}`);
    look();
  }

  return (
    <section class="card">
      <h2>{t.life}</h2>
      <p>{t.lifeText}</p>
      <ol class="states">
        {t.states.map((name, number) => (
          <li key={number} aria-current={state === number ? 'step' : undefined}>
            <b>{number}</b>
            <span>{name}</span>
            <small>{t.stateHints[number]}</small>
          </li>
        ))}
      </ol>
      <div class="acts">
        <button type="button" class="primary" disabled={state < 2} onClick={open}>
          {t.open}
        </button>
        <button type="button" class="secondary" disabled={state !== 1} onClick={close}>
          {t.close}
        </button>
      </div>
      <pre role="log" aria-label={t.log}>
        {lines.join('\n') || ' '}
      </pre>
    </section>
  );
}
