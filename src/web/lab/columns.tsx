/** The four ways, side by side, with what each costs. */

import type { Bench, Way } from './bench.js';
import { type Meter, medianOf } from './meter.js';
import { labWords } from './words.js';

export function Columns({ bench }: { readonly bench: Bench }) {
  const slowest = Math.max(1, ...bench.meters.map(([, { latencies }]) => medianOf(latencies.value) ?? 0));
  const largest = Math.max(1, ...bench.meters.map(([, { bytes }]) => bytes.value));
  return (
    <div class="ways">
      {bench.meters.map(([way, meter]) => (
        <Column key={way} way={way} meter={meter} slowest={slowest} largest={largest} />
      ))}
    </div>
  );
}

type Props = { readonly way: Way; readonly meter: Meter; readonly slowest: number; readonly largest: number };

function Column({ way, meter, slowest, largest }: Props) {
  const t = labWords.value;
  const { messages, requests, bytes, latencies } = meter;
  const [last, median] = [latencies.value.at(-1), medianOf(latencies.value)];
  const perMessage = messages.value === 0 ? '–' : Math.round(bytes.value / messages.value).toLocaleString();
  return (
    <section class={`way ${way}`} aria-label={t.names[way]}>
      <h3>{t.names[way]}</h3>
      <p>{t.tells[way]}</p>
      <dl>
        <Figure name={t.messages} value={String(messages.value)} />
        <Figure name={t.requests} value={requests.value.toLocaleString()} />
        <Figure name={t.bytes} value={bytes.value.toLocaleString()} share={bytes.value / largest} />
        <Figure name={t.perMessage} value={perMessage} />
        <Figure name={t.latency} value={last === undefined ? '–' : t.milliseconds(last)} />
        <Figure
          name={t.median}
          value={median === undefined ? '–' : t.milliseconds(median)}
          share={(median ?? 0) / slowest}
        />
        <Figure name={t.idle} value={t.idles[way]} />
      </dl>
    </section>
  );
}

function Figure({ name, value, share }: { readonly name: string; readonly value: string; readonly share?: number }) {
  return (
    <div class="figure">
      <dt>{name}</dt>
      <dd>
        {value}
        {share !== undefined && <meter value={share} aria-label={name} />}
      </dd>
    </div>
  );
}
