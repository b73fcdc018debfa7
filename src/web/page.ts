/** Log-in, and what the keys and buttons do. */
import { parseUid } from '../protocol/index.js';
import { Messenger } from './messenger.js';
import { element } from './view.js';

const login = element('login', HTMLFormElement);
const name = element('name', HTMLInputElement);
const text = element('text', HTMLTextAreaElement);
const compose = element('compose', HTMLFormElement);
let messenger: Messenger | undefined;

/** One name a tab, so that two tabs can be two people; the last one is offered to the next. */
function enter(wanted: string): void {
  const uid = parseUid(wanted.trim());
  element('refusal', HTMLParagraphElement).textContent = uid ? '' : 'Letters, digits and _ . @ + - only, at most 64.';
  if (uid === undefined) return;
  sessionStorage.setItem('name', uid);
  localStorage.setItem('name', uid);
  element('me', HTMLElement).textContent = uid;
  login.hidden = true;
  element('messenger', HTMLDivElement).hidden = false;
  messenger = new Messenger(uid, deviceOfThisBrowser());
  text.focus();
}

function deviceOfThisBrowser(): string {
  const known = localStorage.getItem('device');
  if (known) return known;
  const bytes = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, '0'));
  const device = `web-${bytes.join('')}`;
  localStorage.setItem('device', device);
  return device;
}

async function leave(): Promise<void> {
  sessionStorage.removeItem('name');
  await messenger?.close();
  location.reload();
}

login.addEventListener('submit', (event) => {
  event.preventDefault();
  enter(name.value);
});

element('logout', HTMLButtonElement).addEventListener('click', () => void leave());

element('open', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  const whom = element('whom', HTMLInputElement);
  const kind = event.submitter?.getAttribute('value') === 'group' ? 'group' : 'person';
  void messenger?.begin(kind, whom.value.trim());
  whom.value = '';
});

element('chats', HTMLUListElement).addEventListener('click', ({ target }) => {
  const conv = target instanceof Element ? target.closest<HTMLElement>('[data-conv]')?.dataset.conv : undefined;
  if (conv !== undefined) void messenger?.open(conv);
});

compose.addEventListener('submit', (event) => {
  event.preventDefault();
  if (text.value.trim() !== '') messenger?.send(text.value);
  text.value = '';
});

text.addEventListener('keydown', (event) => {
  // While an input method composes a word, Enter belongs to it.
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  compose.requestSubmit();
});

text.addEventListener('input', () => messenger?.typing());

name.value = localStorage.getItem('name') ?? '';
const last = sessionStorage.getItem('name');
if (last !== null) enter(last);
