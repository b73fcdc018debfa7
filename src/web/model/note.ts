/** A word to the user, for a moment: what could not be done, mostly. */
import { signal } from '@preact/signals';
import { problemInWords } from '../words/index.js';

const NOTE_MS = 4_000;

export const note = signal('');
let fading: ReturnType<typeof setTimeout> | undefined;

export function say(words: string): void {
  note.value = words;
  clearTimeout(fading);
  fading = setTimeout(() => {
    note.value = '';
  }, NOTE_MS);
}

/** Does something that may be refused, and says so if it is. True if it worked. */
export async function attempt(work: () => unknown): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    say(problemInWords(error));
    return false;
  }
}
