/** `npm run soak`: a million messages through users who come and go; ends with 0 if memory was flat and came back. */
import { countIn, fail, type Values, valuesOf } from './options.js';
import { megabytes, type Plan, run } from './soak/run.js';

const HELP = `Usage: npm run soak -- [options]

Starts a Redis and a node that keep things for seconds instead of days, and sends messages through users who come, talk
and go for good. Tells heap (after garbage collection), resident memory, Redis' memory and its keys on the way, and
afterwards, when all that was kept has run out. Ends with 1 if something grew that must not.

Options:
  --messages N   (1000000)
  --people N     users at the same time (100)
  --life N       messages that each of them sends (200)
`;

const text = { type: 'string' } as const;

function planOf(values: Values): Plan {
  const messages = countIn(values, 'messages') ?? 1_000_000;
  return { messages, people: countIn(values, 'people') ?? 100, life: countIn(values, 'life') ?? 200, samples: 30 };
}

async function main(): Promise<number> {
  const values = valuesOf({ messages: text, people: text, life: text, help: { type: 'boolean' } });
  if (values.help === true) {
    process.stdout.write(HELP);
    return 0;
  }
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  say('| messages | heap MB | resident MB | Redis MB | keys |\n| --- | --- | --- | --- | --- |');
  const { plan, seconds, users, refused, ebbSeconds, complaints, after } = await run(planOf(values), say);
  say(`\n${plan.messages} messages of ${users} users in ${seconds.toFixed(0)} s, ${refused} refused.`);
  say(`Redis was back at ${megabytes(after.redis)} MB and ${after.keys} keys after ${ebbSeconds.toFixed(0)} s.`);
  for (const complaint of complaints) say(`NOT WELL: ${complaint}`);
  return complaints.length === 0 ? 0 : 1;
}

main().then((code) => process.exit(code), fail);
