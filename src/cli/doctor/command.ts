/** `skein doctor`: looks at the server, Redis and this machine, and says what to do. */
import type { CommandModule } from 'yargs';
import { type Auth, Credentials } from '../../client/credentials.js';
import { CLI_SETTINGS } from '../../ops/cli-settings.js';
import { SETTINGS } from '../../ops/settings.js';
import { createPaint, type Paint, wantsColours } from '../colours.js';
import { EXIT } from '../ending.js';
import { writeLine } from '../output.js';
import { REACH_OPTIONS, type ReachFlags, reachOf, seconds, settingOf, TIMEOUT_OPTION, urlOf } from '../reach.js';
import { safeJson, visible } from '../text.js';
import { ownVersion } from '../version.js';
import type { Check } from './check.js';
import { checkMachine } from './machine.js';
import { checkServer } from './server.js';

type Flags = ReachFlags & {
  readonly redis?: string | undefined;
  readonly json?: boolean | undefined;
  readonly timeout: number;
};

export const doctorCommand: CommandModule<object, Flags> = {
  command: 'doctor',
  describe: 'Look whether server, Redis and machine are well, and say what to do',
  builder: (yargs) =>
    yargs
      .options({
        redis: {
          type: 'string',
          requiresArg: true,
          describe: `Redis; a password is safer in the environment [${SETTINGS.redisUrl.name}]`,
        },
        json: { type: 'boolean', describe: 'Print the findings as JSON' },
        ...TIMEOUT_OPTION,
        ...REACH_OPTIONS,
      })
      .example('$0 doctor', 'the node on this machine')
      .example('REDIS_URL=redis://10.0.0.5 $0 doctor --url https://chat.example', 'before going live')
      .epilogue('Exit code 1 where something fails; warnings alone are 0. Nothing is changed anywhere.'),
  async handler(flags) {
    const within = seconds(flags.timeout);
    const patient = { url: urlOf(flags), auth: authOf(flags), version: ownVersion, within };
    const redis = {
      url: settingOf(SETTINGS.redisUrl, '--redis', flags.redis),
      prefix: settingOf(SETTINGS.redisPrefix) ?? '',
      caFile: settingOf(SETTINGS.redisCa),
      within,
    };
    // Its library takes longer to load than the other commands to run.
    const { checkRedis } = await import('./redis.js');
    const checks = (await Promise.all([checkServer(patient), checkRedis(redis), checkMachine()])).flat();
    const isWell = checks.every(({ status }) => status !== 'fail');
    if (flags.json) await writeLine(safeJson({ ok: isWell, checks }));
    else await writeLine(reportOf(checks, createPaint(wantsColours(process.stdout))));
    if (!isWell) process.exitCode = EXIT.failed;
  },
};

/** Nobody in particular, where nobody is named: the doctor need not be a user. */
function authOf(flags: ReachFlags): Auth {
  const isNamed = [flags.uid, flags.token, flags.tokenFile].some((flag) => flag !== undefined);
  const isSet = [CLI_SETTINGS.uid, CLI_SETTINGS.token].some((setting) => settingOf(setting) !== undefined);
  return isNamed || isSet ? new Credentials(reachOf(flags).identity).known : {};
}

const STYLES = { ok: 'green', warn: 'yellow', fail: 'red' } as const;

function reportOf(checks: readonly Check[], paint: Paint): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const lines = checks.flatMap(({ name, status, found, advice }) => [
    `${paint(STYLES[status], status.padEnd(4))}  ${name.padEnd(width)}  ${visible(found)}`,
    ...(advice === undefined ? [] : [`${' '.repeat(width + 8)}→ ${advice}`]),
  ]);
  const counted = (status: Check['status']) => checks.filter((check) => check.status === status).length;
  return [...lines, '', `${counted('ok')} ok, ${counted('warn')} to look at, ${counted('fail')} to mend`].join('\n');
}
