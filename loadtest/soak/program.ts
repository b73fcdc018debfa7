/** A node whose heap can be looked at after garbage was collected: by the inspector, so that the product needs no door. */
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { type Environment, Program } from '../rig/programs.js';
import { ROOT } from '../rig/root.js';

/** Bytes. */
export type Memory = { readonly heap: number; readonly rss: number };

export class SoakedNode {
  private asked = 0;
  private readonly waiting = new Map<number, (result: unknown) => void>();

  private constructor(
    readonly program: Program,
    readonly port: number,
    private readonly inspector: WebSocket,
  ) {
    inspector.on('message', (bytes) => {
      const { id, result } = JSON.parse(bytes.toString()) as { readonly id?: number; readonly result?: unknown };
      if (id !== undefined) this.waiting.get(id)?.(result);
    });
  }

  static async start(env: Environment): Promise<SoakedNode> {
    const args = ['--inspect=127.0.0.1:0', join(ROOT, 'dist/main.js')];
    const program = Program.start('node', process.execPath, args, { SKEIN_PORT: '0', SKEIN_METRICS_PORT: '0', ...env });
    const [inspected, listening] = await Promise.all([
      program.printed(/Debugger listening on (ws:\S+)/),
      program.printed(/"port":(\d+).*"msg":"listening"/),
    ]);
    const inspector = new WebSocket(inspected[1]!, { perMessageDeflate: false });
    await new Promise((resolve, reject) => inspector.once('open', resolve).once('error', reject));
    return new SoakedNode(program, Number(listening[1]), inspector);
  }

  async memory(): Promise<Memory> {
    await this.ask('HeapProfiler.collectGarbage');
    const expression = 'JSON.stringify(process.memoryUsage())';
    const { result } = (await this.ask('Runtime.evaluate', { expression })) as { readonly result: { value: string } };
    const { heapUsed, rss } = JSON.parse(result.value) as { readonly heapUsed: number; readonly rss: number };
    return { heap: heapUsed, rss };
  }

  async stop(): Promise<void> {
    this.inspector.terminate();
    await this.program.stop('SIGKILL');
  }

  private ask(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.asked;
    this.inspector.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve) => {
      this.waiting.set(id, (result) => {
        this.waiting.delete(id);
        resolve(result);
      });
    });
  }
}
