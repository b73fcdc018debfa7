/** The lab: how messages reach a browser, to be tried. */
import { options, render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Bench } from './lab/bench.js';
import { Box } from './lab/box.js';
import { Columns } from './lab/columns.js';
import { Life } from './lab/life.js';
import { labWords } from './lab/words.js';
import { language } from './words/index.js';

options.debounceRendering = (draw) => void requestAnimationFrame(() => draw());

const bench = new Bench();
bench.start();

function Lab() {
  const t = labWords.value;
  const [isStreaming, setStreaming] = useState(false);
  useEffect(() => {
    if (!isStreaming) return;
    const clock = setInterval(() => bench.send(), 1_000);
    return () => clearInterval(clock);
  }, [isStreaming]);
  return (
    <main class="lab">
      <header>
        <a href="./">← {t.back}</a>
        <button
          type="button"
          class="link"
          onClick={() => {
            language.value = language.value === 'zh' ? 'en' : 'zh';
          }}
        >
          {language.value === 'zh' ? 'English' : '中文'}
        </button>
      </header>
      <h1>{t.title}</h1>
      <p class="lead">{t.lead}</p>
      <div class="acts">
        <button type="button" class="primary" data-send onClick={() => bench.send()}>
          {t.send}
        </button>
        <button type="button" class="secondary" aria-pressed={isStreaming} onClick={() => setStreaming(!isStreaming)}>
          {isStreaming ? t.stop : t.stream}
        </button>
      </div>
      {bench.isRefused.value && (
        <p class="problem" role="alert">
          {t.needsLogin}
        </p>
      )}
      <Columns bench={bench} />
      <p class="footnote">{t.bytesHint}</p>
      <section class="card">
        <h2>{t.verdict}</h2>
        <p>{t.verdictText}</p>
      </section>
      <div class="pair">
        <Life session={bench.session} />
        <Box session={bench.session} />
      </div>
    </main>
  );
}

render(<Lab />, document.getElementById('app')!);
