// `npm test`: every check that guards the house, then every test. Brings the programs along that the tests start.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const REDIS_MAJOR = 7;
const APT = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };

/** Debian keeps servers where an ordinary user's PATH does not look. */
const which = (program) =>
  [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin']
    .map((directory) => join(directory, program))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });

function redisMajor() {
  if (!which('redis-server')) return 0;
  const { stdout } = spawnSync('redis-server', ['--version'], { encoding: 'utf8' });
  return Number(/v=(\d+)/.exec(stdout)?.[1] ?? 0);
}

const hasRedis = () => redisMajor() >= REDIS_MAJOR;
const hasChromium = () => ['chromium', 'chromium-browser', 'google-chrome'].some(which);
const hasTests = (folder) => () =>
  existsSync(`${root}test/${folder}`) &&
  readdirSync(`${root}test/${folder}`, { recursive: true }).some((path) => path.endsWith('.test.ts'));

/** What only the tests of deploy/ start; where it can't be had, they say that they leave it out. */
const deployed = (program, of) => ({
  is: program,
  package: of,
  isThere: () => which(program) !== undefined,
  isNeeded: hasTests('deploy'),
  isOptional: true,
});

const PROGRAMS = [
  { is: `redis-server ${REDIS_MAJOR} or later`, package: 'redis-server', isThere: hasRedis, isNeeded: () => true },
  { is: 'Chromium', package: 'chromium', isThere: hasChromium, isNeeded: hasTests('browser') },
  deployed('haproxy', 'haproxy'),
  deployed('nginx', 'nginx'),
  deployed('promtool', 'prometheus'),
];

/** Installs what is missing where this user may; else says in one line what to install. */
function provide(program) {
  if (!program.isNeeded() || program.isThere()) return;
  if (process.getuid?.() === 0 && which('apt-get')) {
    for (const args of [['update'], ['install', '-y', '--no-install-recommends', program.package]]) {
      const apt = spawnSync('apt-get', ['-q', ...args], { stdio: ['ignore', 'inherit', 'inherit'], env: APT });
      if (apt.status !== 0) break;
    }
  }
  if (program.isThere() || program.isOptional) return;
  console.error(`The tests need ${program.is}: install it, on Debian with "apt-get install ${program.package}".`);
  process.exit(1);
}

const bin = (name) => join(root, 'node_modules', '.bin', name);

/** Runs one stage; its time is told right after it. */
function stage(name, ...commands) {
  console.log(`\n── ${name}`);
  const began = performance.now();
  const isGreen = commands.every(([program, ...args]) => {
    const { status, error } = spawnSync(program, args, { cwd: root, stdio: 'inherit' });
    if (error) console.error(error.message);
    return status === 0;
  });
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  // The tests' own last line ends the output; they tell their time themselves.
  if (name !== 'tests') console.log(`── ${name}: ${isGreen ? 'ok' : 'FAILED'}, ${seconds} s`);
  return isGreen;
}

for (const program of PROGRAMS) provide(program);

const checks = [
  ['lint', [bin('biome'), 'check', '--error-on-warnings', '.']],
  ['types', [bin('tsc'), '--noEmit'], [bin('tsc'), '--noEmit', '-p', 'tsconfig.web.json']],
  ['unused code', [bin('knip')]],
  ['build', [process.execPath, join(root, 'scripts', 'build.mjs')]],
];
const failed = checks.filter(([name, ...commands]) => !stage(name, ...commands)).map(([name]) => name);
if (failed.includes('build')) {
  console.error('The build failed, so the tests did not run.');
  process.exit(1);
}
if (failed.length > 0) console.error(`\nFAILED before the tests: ${failed.join(', ')}`);
const isTested = stage('tests', [bin('vitest'), 'run', ...process.argv.slice(2)]);
process.exit(isTested && failed.length === 0 ? 0 : 1);
