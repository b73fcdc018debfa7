import type { Messenger } from '../model/messenger.js';
import { attempt, say } from '../model/note.js';
import { isNotifying, setNotifying } from '../model/notices.js';
import { type Language, language, type Theme, theme, words } from '../words/index.js';
import { Avatar } from './avatar.js';
import { Dialog } from './dialog.js';
import { Icon } from './icons.js';

type Props = { readonly m: Messenger; readonly close: () => void; readonly logOut: () => void };

export function Settings({ m, close, logOut }: Props) {
  const t = words.value;
  const themes: readonly (readonly [Theme, string])[] = [
    ['auto', t.themeAuto],
    ['light', t.themeLight],
    ['dark', t.themeDark],
  ];
  const languages: readonly (readonly [Language, string])[] = [
    ['en', 'English'],
    ['zh', '中文'],
  ];
  return (
    <Dialog title={t.settings} close={close}>
      <Choice name={t.languageName} options={languages} signal={language} />
      <Choice name={t.theme} options={themes} signal={theme} />
      <label class="check">
        <input
          type="checkbox"
          checked={isNotifying.value}
          onChange={async ({ currentTarget }) => {
            if (!(await setNotifying(currentTarget.checked))) say(t.notifyDenied);
            currentTarget.checked = isNotifying.peek();
          }}
        />{' '}
        {t.notify}
      </label>
      <Blocked m={m} />
      <a class="row" href="./lab">
        <Icon name="flask" /> {t.lab}
      </a>
      <button type="button" class="row danger" onClick={logOut}>
        <Icon name="logout" /> {t.logOut}
      </button>
    </Dialog>
  );
}

function Blocked({ m }: { readonly m: Messenger }) {
  const t = words.value;
  const uids = [...m.blocks.all.value].sort();
  if (uids.length === 0) return null;
  return (
    <section class="members" aria-label={t.blocked}>
      <h3>{t.blocked}</h3>
      <ul>
        {uids.map((uid) => (
          <li key={uid}>
            <Avatar name={uid} size="small" />
            <bdi>{uid}</bdi>
            <button type="button" class="link" onClick={() => void attempt(() => m.unblock(uid))}>
              {t.unblock}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

type ChoiceProps<T extends string> = {
  readonly name: string;
  readonly options: readonly (readonly [T, string])[];
  readonly signal: { value: T };
};

function Choice<T extends string>({ name, options, signal }: ChoiceProps<T>) {
  return (
    <fieldset class="choice">
      <legend>{name}</legend>
      {options.map(([value, label]) => (
        <label key={value}>
          <input
            type="radio"
            name={name}
            checked={signal.value === value}
            onChange={() => {
              signal.value = value;
            }}
          />
          <span>{label}</span>
        </label>
      ))}
    </fieldset>
  );
}
