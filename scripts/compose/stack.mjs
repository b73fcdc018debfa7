// The stack of docker-compose.yml under a name and on ports of its own, so that one that runs already is left alone.
import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);
const PROJECT = 'skein-test';
const IMAGE = 'skein:test';

const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

export class Stack {
  /**
   * `isOffline`: what is not on this machine is not fetched, and Grafana, which then may be missing, is left out.
   * `hasSentinel`: with the overlay.
   */
  static async create({ isOffline, hasSentinel }) {
    const [front, prometheus, grafana] = await Promise.all([freePort(), freePort(), freePort()]);
    return new Stack({ isOffline, hasSentinel, front, prometheus, grafana });
  }

  constructor({ isOffline, hasSentinel, front, prometheus, grafana }) {
    const files = ['docker-compose.yml', ...(hasSentinel ? ['docker-compose.sentinel.yml'] : [])];
    this.files = files.flatMap((file) => ['-f', file]);
    this.fetching = isOffline ? ['--pull', 'never'] : ['--pull', 'missing'];
    this.leftOut = isOffline ? ['--scale', 'grafana=0'] : [];
    this.url = `http://127.0.0.1:${front}`;
    this.prometheus = `http://127.0.0.1:${prometheus}`;
    this.env = {
      ...process.env,
      IMAGE,
      PUBLISH: `127.0.0.1:${front}`,
      PROMETHEUS_PORT: `${prometheus}`,
      GRAFANA_PORT: `${grafana}`,
    };
  }

  async docker(...args) {
    const { stdout } = await run('docker', args, { cwd: root, env: this.env, maxBuffer: 64 * 1024 * 1024 });
    return stdout.trim();
  }

  /** With the example's settings, whatever this machine's own `.env` says. */
  compose(...args) {
    return this.docker('compose', '-p', PROJECT, ...this.files, '--env-file', '.env.example', ...args);
  }

  build() {
    return this.compose('build', 'skein');
  }

  up(nodes, ...more) {
    const scale = ['--scale', `skein=${nodes}`, ...this.leftOut];
    return this.compose('up', '-d', '--wait', '--wait-timeout', '180', ...this.fetching, ...scale, ...more);
  }

  down() {
    return this.compose('down', '-v', '--timeout', '40');
  }

  logs() {
    return this.compose('logs', '--no-color');
  }

  async containers(service) {
    return (await this.compose('ps', '-q', service)).split('\n').filter(Boolean);
  }

  /** As the platform ends one for good: SIGTERM, its time to leave, removal. */
  async retire(container) {
    await this.docker('stop', '--timeout', '40', container);
    const code = await this.docker('inspect', '-f', '{{.State.ExitCode}}', container);
    await this.docker('rm', container);
    return Number(code);
  }

  /**
   * Ends the process in a container as a crash would. `docker kill` would not do: the engine takes it for a wish and does
   * not restart the container.
   */
  async crash(container) {
    const pid = await this.docker('inspect', '-f', '{{.State.Pid}}', container);
    const kill = ['--entrypoint', 'node', IMAGE, '-e', `process.kill(${Number(pid)}, 'SIGKILL')`];
    await this.docker('run', '--rm', '--pull', 'never', '--pid', 'host', '--user', '0', ...kill);
    return pid;
  }

  /** Whether the engine has started it again, and it is well. */
  async isBack(container, formerPid) {
    const format = '{{.State.Pid}} {{.State.Running}} {{if .State.Health}}{{.State.Health.Status}}{{end}}';
    const [pid, isRunning, health] = (await this.docker('inspect', '-f', format, container)).split(' ');
    return pid !== formerPid && isRunning === 'true' && health === 'healthy';
  }
}
