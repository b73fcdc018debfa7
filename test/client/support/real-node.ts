/** The service itself, as it is built, on its embedded store. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** `TESTED_MAIN`: another build. */
const MAIN = process.env.TESTED_MAIN ?? fileURLToPath(new URL('../../../dist/main.js', import.meta.url));

export async function realNode(env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env.PATH, SKEIN_PORT: '0', SKEIN_METRICS_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const port = await new Promise<number>((resolve, reject) => {
    void exited.then((code) => reject(new Error(`the node ended with ${code} before it listened`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { msg, port } = JSON.parse(line) as { readonly msg?: string; readonly port?: number };
      if (msg === 'listening' && port !== undefined) resolve(port);
    });
  });
  return {
    url: `http://127.0.0.1:${port}`,
    /** Resolves with the exit code. */
    close: () => {
      child.kill('SIGTERM');
      return exited;
    },
  };
}
