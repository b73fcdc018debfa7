/** What a message says: text with its links, or JSON where it is not text. */
import { useState } from 'preact/hooks';
import type { Json } from '../../client/index.js';
import { partsOf, plainText, textOf } from '../model/text.js';
import { words } from '../words/index.js';

/** Characters and lines that are shown at once. */
const [LENGTH, LINES] = [1_500, 24];

export function Body({ data }: { readonly data: Json | undefined }) {
  const [isWhole, setWhole] = useState(false);
  const text = textOf(data);
  const shown = isWhole ? text : beginningOf(text);
  const isText = plainText(data) !== undefined;
  return (
    <>
      {isText ? (
        <span class="text" dir="auto">
          {partsOf(shown).map(({ text: part, href }, index) =>
            href === undefined ? (
              part
            ) : (
              <a key={index} href={href} target="_blank" rel="noopener noreferrer nofollow" title={href}>
                {part}
              </a>
            ),
          )}
        </span>
      ) : (
        <code class="text">{shown}</code>
      )}
      {shown !== text && (
        <button type="button" class="more" onClick={() => setWhole(true)}>
          … {words.value.showAll}
        </button>
      )}
    </>
  );
}

function beginningOf(text: string): string {
  let end = Math.min(text.length, LENGTH);
  let line = 0;
  for (let i = 0; i < end; i++) if (text.charCodeAt(i) === 10 && ++line === LINES) end = i;
  return text.length - end < 100 && end < text.length && line < LINES ? text : text.slice(0, end);
}
