import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { words } from '../words/index.js';
import { Icon } from './icons.js';

type Props = { readonly title: string; readonly close: () => void; readonly children: ComponentChildren };

/** A modal dialogue: the browser keeps the focus in it, and Escape closes it. */
export function Dialog({ title, close, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current!;
    element.showModal();
    // The sheet fills the dialogue: what is clicked of the dialogue itself is its backdrop.
    element.addEventListener('click', ({ target }) => target === element && element.close());
  }, []);
  return (
    <dialog ref={dialog} aria-label={title} onClose={close}>
      <div class="sheet">
        <header>
          <h2>{title}</h2>
          <button type="button" class="round" aria-label={words.value.close} onClick={() => dialog.current?.close()}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
