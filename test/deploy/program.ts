/** Programs of the operating system that these tests start, where they are installed. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Debian keeps servers where an ordinary user's PATH does not look. */
const FOLDERS = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];

/** Where the program lies; says so in a line and gives undefined where it is not installed. */
export function program(name: string): string | undefined {
  const found = FOLDERS.map((folder) => join(folder, name)).find(isExecutable);
  if (found === undefined) console.log(`${name} is not installed: what needs it is not tested here`);
  return found;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
