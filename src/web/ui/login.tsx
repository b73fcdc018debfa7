import { useState } from 'preact/hooks';
import { type Session, sessionOf } from '../model/session.js';
import { language, words } from '../words/index.js';
import { Icon } from './icons.js';

type Props = { readonly refusal: string; readonly enter: (session: Session) => void };

export function Login({ refusal, enter }: Props) {
  const t = words.value;
  const [isToken, setToken] = useState(false);
  const [problem, setProblem] = useState('');
  function submit(event: SubmitEvent): void {
    event.preventDefault();
    const typed = String(new FormData(event.currentTarget as HTMLFormElement).get('who')).trim();
    const session = sessionOf(typed, isToken);
    if (session) enter(session);
    else setProblem(isToken ? t.badToken : t.badName);
  }
  return (
    <main class="login">
      <form onSubmit={submit}>
        <img src="./icon.svg" alt="" width="64" height="64" />
        <h1>Skein</h1>
        <p>{t.tagline}</p>
        <label for="who">{isToken ? t.yourToken : t.yourName}</label>
        <input
          id="who"
          name="who"
          autocomplete={isToken ? 'off' : 'username'}
          spellcheck={false}
          required
          autofocus
          aria-describedby="problem"
        />
        <p id="problem" class="problem" role="alert">
          {problem || refusal}
        </p>
        <button type="submit" class="primary">
          {t.logIn}
        </button>
        <button type="button" class="link" onClick={() => setToken(!isToken)}>
          {isToken ? t.withName : t.withToken}
        </button>
        <footer>
          <button
            type="button"
            class="link"
            lang={language.value === 'zh' ? 'en' : 'zh-CN'}
            onClick={() => {
              language.value = language.value === 'zh' ? 'en' : 'zh';
            }}
          >
            {language.value === 'zh' ? 'English' : '中文'}
          </button>
          <a href="./lab">
            <Icon name="flask" /> {t.lab}
          </a>
        </footer>
      </form>
    </main>
  );
}
