/** A question before what cannot be taken back. */
import { signal } from '@preact/signals';
import { words } from '../words/index.js';
import { Dialog } from './dialog.js';

type Question = { readonly text: string; readonly act: string; readonly answer: (isSure: boolean) => void };

const asked = signal<Question | undefined>(undefined);

/** Asks; `act` is what the button says that does it. Anything but that button means no. */
export function isSure(text: string, act: string): Promise<boolean> {
  return new Promise((answer) => {
    asked.value = { text, act, answer };
  });
}

export function Confirm() {
  const question = asked.value;
  if (question === undefined) return null;
  const { text, act, answer } = question;
  function close(isYes: boolean): void {
    asked.value = undefined;
    answer(isYes);
  }
  return (
    <Dialog title={act} close={() => close(false)}>
      <p class="question">{text}</p>
      <div class="answers">
        <button type="button" class="secondary" autofocus onClick={() => close(false)}>
          {words.value.cancel}
        </button>
        <button type="button" class="primary alarming" onClick={() => close(true)}>
          {act}
        </button>
      </div>
    </Dialog>
  );
}
