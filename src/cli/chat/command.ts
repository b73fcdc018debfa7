/** `skein chat`: talk in the terminal, or through a pipe. */
import type { CommandModule } from 'yargs';
import type { Uid } from '../../protocol/index.js';
import { createPaint, type Paint, wantsColours } from '../colours.js';
import { beforeEnd, EXIT, end, Failure, Usage } from '../ending.js';
import { lineTo, REACH_OPTIONS, type ReachFlags, reachOf, seconds, TIMEOUT_OPTION, uidNamed } from '../reach.js';
import { roomNamed } from '../send.js';
import { Chat } from './chat.js';
import { Renderer } from './render.js';
import { Pipe, type Screen, Terminal } from './screen.js';
import { EVERYBODY, roomTarget, type Target, userTarget } from './target.js';

const DEVICE = 'terminal';
const HISTORY_MAX = 200;
const LOOK_MS = 500;

type Flags = ReachFlags & {
  readonly to?: string | undefined;
  readonly room?: string | undefined;
  readonly all?: boolean | undefined;
  readonly history: number;
  readonly commands: boolean;
  readonly device: string;
  readonly timeout: number;
};

export const chatCommand: CommandModule<object, Flags> = {
  command: 'chat',
  describe: 'Talk to a user, in a room or to everybody',
  builder: (yargs) =>
    yargs
      .options({
        to: { type: 'string', requiresArg: true, describe: 'A user' },
        room: { type: 'string', requiresArg: true, describe: 'A room; joins it, and creates it where there is none' },
        all: { type: 'boolean', describe: 'Everybody' },
        history: { type: 'number', default: 20, describe: `Messages to show at the start, 1 to ${HISTORY_MAX}` },
        commands: {
          type: 'boolean',
          default: true,
          describe: '--no-commands: a line that begins with / is a text, too',
        },
        device: { type: 'string', default: DEVICE, describe: 'Name of this device of yours' },
        ...TIMEOUT_OPTION,
        ...REACH_OPTIONS,
      })
      .example('$0 chat --uid A --to B', 'talk to B; /help lists the commands')
      .example('$0 chat --uid A --room tea', 'in a room')
      .example('$0 chat --uid A --to B < lines.txt', 'send each line; ends when all are stored'),
  async handler(flags) {
    if (!Number.isInteger(flags.history) || flags.history < 1 || flags.history > HISTORY_MAX) {
      throw new Usage(`--history: 1 to ${HISTORY_MAX}`);
    }
    checkTarget(flags);
    const within = seconds(flags.timeout);
    const reach = reachOf(flags);
    const line = lineTo(reach, flags.device);
    const paint = createPaint(wantsColours(process.stdout));
    const screen = screenFor(paint);
    beforeEnd(() => screen.close());
    screen.onInterrupt(() => void end(EXIT.interrupted));
    const render = new Renderer(paint, () => screen.columns());
    const chat = new Chat(line.client, screen, render, { history: flags.history, isPlain: !flags.commands });
    screen.print([render.note(`Skein at ${reach.url}; /help for commands`)]);
    let isEnding = false;
    const talk = async (): Promise<void> => {
      await line.opened(screen.isInteractive ? undefined : within);
      await chat.begin(targetOf(flags, line.client.uid ?? uidNamed(flags.uid ?? '')));
      for await (const entry of screen.entries()) if (await chat.enter(entry)) break;
      isEnding = true;
      await chat.waiting.over();
    };
    await Promise.race([line.over, talk(), stalled(chat, within, () => isEnding || !screen.isInteractive)]);
    if (!screen.isInteractive && chat.refused > 0) process.exitCode = EXIT.failed;
  },
};

function checkTarget({ to, room, all }: Flags): void {
  if ([to, room, all || undefined].filter((one) => one !== undefined).length > 1) {
    throw new Usage('to whom? at most one of --to, --room and --all');
  }
  if (to !== undefined) uidNamed(to);
  if (room !== undefined) roomNamed(room);
}

function targetOf({ to, room, all }: Flags, me: Uid): Target | undefined {
  if (to !== undefined) return userTarget(to, me);
  if (room !== undefined) return roomTarget(room);
  return all ? EVERYBODY : undefined;
}

function screenFor(paint: Paint): Screen {
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY && process.env.TERM !== 'dumb';
  return isTerminal ? new Terminal(paint) : new Pipe();
}

/** Rejects when messages wait for longer than that; a person may leave them waiting, until the chat is to end. */
async function stalled(chat: Chat, within: number, counts: () => boolean): Promise<never> {
  for (;;) {
    await pause(Math.min(within, LOOK_MS));
    const { size, standstill } = chat.waiting;
    if (standstill > within && counts()) throw new Failure(`${size} messages were not stored`, 'timeout');
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
