/** Programs of the operating system that these tests start, where they are installed. */
import { installed } from '../../loadtest/rig/installed.js';

/** Where the program lies; says so in a line and gives undefined where it is not installed. */
export function program(name: string): string | undefined {
  const found = installed(name);
  if (found === undefined) console.log(`${name} is not installed: what needs it is not tested here`);
  return found;
}
