import { useEffect, useRef, useState } from 'preact/hooks';
import { words } from '../words/index.js';

type Props = { readonly pick: (emoji: string) => void; readonly close: () => void };

export function EmojiPicker({ pick, close }: Props) {
  const panel = useRef<HTMLDivElement>(null);
  const [rows, setRows] = useState<readonly (readonly string[])[]>([]);
  useEffect(() => {
    void import('./emoji.js').then(({ EMOJI }) => setRows(EMOJI));
    const away = ({ target }: Event): void => {
      const isInside = target instanceof Element && target.closest('.emoji, [aria-expanded]');
      if (!isInside) close();
    };
    addEventListener('pointerdown', away);
    return () => removeEventListener('pointerdown', away);
  }, []);
  useEffect(() => panel.current?.querySelector('button')?.focus(), [rows]);
  return (
    <div class="emoji" role="dialog" aria-label={words.value.emoji} ref={panel} onKeyDown={onKeyDown(close)}>
      {rows.map((row) => (
        <div key={row[0]} class="emoji-row">
          {row.map((emoji) => (
            <button type="button" key={emoji} onClick={() => pick(emoji)}>
              {emoji}
            </button>
          ))}
        </div>
      ))}
    </div>
  );
}

const STEPS: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 8, ArrowUp: -8 };

const onKeyDown =
  (close: () => void) =>
  (event: KeyboardEvent): void => {
    if (event.key === 'Escape') {
      event.stopPropagation();
      return close();
    }
    const step = STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const all = [...(event.currentTarget as HTMLElement).querySelectorAll('button')];
    all[all.indexOf(document.activeElement as HTMLButtonElement) + step]?.focus();
  };
