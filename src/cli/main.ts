#!/usr/bin/env node
/** The command line: reads its words, runs one command, and ends with a code that scripts can rely on. */
import yargs from 'yargs';
import { chatCommand } from './chat/command.js';
import { doctorCommand } from './doctor/command.js';
import { EXIT, end, endOnSignals, report, Usage } from './ending.js';
import { isReaderGone, keepStreamErrors } from './output.js';
import { sendCommand } from './send.js';
import { tailCommand } from './tail.js';
import { tokenCommand } from './token.js';
import { ownVersion } from './version.js';

const COLUMNS_MAX = 100;
/** What may hold several words. */
const LISTS: readonly string[] = ['_', 'message'];

keepStreamErrors();
endOnSignals();

const words = yargs(process.argv.slice(2))
  .scriptName('skein')
  .usage('$0 <command>\n\nChat from the terminal, and look after a server.')
  .command(chatCommand)
  .command(sendCommand)
  .command(tailCommand)
  .command(tokenCommand)
  .command(doctorCommand)
  .example('$0 chat --uid A --to B', 'talk to B')
  .example('$0 tail --uid A | jq -r .data', 'what A receives, for scripts')
  .example('$0 <command> --help', 'all about one command')
  .epilogue('Exit codes: 0 done, 1 failed, 2 asked wrongly, 130 interrupted. More: docs/terminal.md')
  .parserConfiguration({ 'parse-positional-numbers': false })
  .demandCommand(1, 'which command?')
  .strict()
  .check((given) => {
    const twice = Object.keys(given).find((name) => !LISTS.includes(name) && Array.isArray(given[name]));
    if (twice !== undefined) throw new Usage(`--${twice}: give it once`);
    return true;
  })
  .recommendCommands()
  .locale('en')
  .version(ownVersion)
  .alias({ help: 'h', version: 'V' })
  .wrap(Math.min(COLUMNS_MAX, process.stdout.columns ?? COLUMNS_MAX))
  .fail((message, error) => {
    throw error ?? new Usage(`${message}\nTry: skein --help`);
  });

let code: number = EXIT.ok;
try {
  await words.parseAsync();
  code = Number(process.exitCode ?? EXIT.ok);
} catch (error) {
  if (!isReaderGone(error)) code = report(error);
}
await end(code);
