/** A process with work that never ends, for shutdown.test.ts to stop. */
import { createShutdown } from '../../src/ops/shutdown.js';

const isHanging = process.argv[2] === 'hangs';
const say = () => undefined;

createShutdown({
  steps: [{ name: 'drain', run: () => (isHanging ? new Promise(() => undefined) : Promise.resolve()) }],
  deadlineMs: 20_000,
  log: { info: say, error: say, fatal: say },
});
setInterval(say, 1_000);
console.log('up');
