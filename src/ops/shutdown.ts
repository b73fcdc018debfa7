type Say = (fields: object, message: string) => void;

export type Step = {
  readonly name: string;
  /** `left`: milliseconds until the deadline. */
  run(left: number): void | Promise<void>;
};

/** What of `process` a shutdown listens to. */
export type SignalSource = {
  on(event: string, listener: (cause: unknown) => void): unknown;
  off(event: string, listener: (cause: unknown) => void): unknown;
};

export type ShutdownOptions = {
  /** Run one after the other; one that fails is logged, and the next ones run all the same. */
  readonly steps: readonly Step[];
  /** For all steps together. */
  readonly deadlineMs: number;
  readonly log: { readonly info: Say; readonly error: Say; readonly fatal: Say };
  readonly exit?: ((code: number) => void) | undefined;
  readonly signals?: SignalSource | undefined;
};

export type Shutdown = {
  /** Begins the end; again: nothing. */
  begin(reason: string): void;
  /** Stops listening to signals. */
  dispose(): void;
};

const ECHO_MS = 500;

/**
 * Ends the process in order: on SIGTERM or SIGINT with code 0, on an exception nobody caught with code 1. A failed step
 * or a passed deadline makes it 1; a second signal ends at once.
 */
export function createShutdown(options: ShutdownOptions): Shutdown {
  const { log, exit = (code) => process.exit(code), signals = process } = options;
  let code = 0;
  let hasBegun = false;
  let firstSignal: { readonly name: string; readonly at: number } | undefined;

  const begin = (reason: string) => {
    if (hasBegun) return;
    hasBegun = true;
    log.info({ reason, deadlineMs: options.deadlineMs }, 'shutdown begins');
    runInOrder(options).then((isClean) => {
      log.info({ clean: isClean }, 'shutdown ends');
      exit(isClean ? code : 1);
    });
  };

  const onSignal = (name: string) => () => {
    const at = performance.now();
    if (!firstSignal) {
      firstSignal = { name, at };
      return begin(name);
    }
    // On Ctrl-C under npm the terminal sends SIGINT, and npm passes on its own copy of it.
    const isEcho = name === 'SIGINT' && firstSignal.name === name && at - firstSignal.at < ECHO_MS;
    if (isEcho) return;
    log.fatal({ signal: name }, 'second signal: ending at once');
    exit(1);
  };
  const onCrash = (kind: string) => (cause: unknown) => {
    log.fatal({ err: cause }, kind);
    code = 1;
    begin(kind);
  };

  const listeners = new Map([
    ['SIGTERM', onSignal('SIGTERM')],
    ['SIGINT', onSignal('SIGINT')],
    ['uncaughtException', onCrash('uncaught exception')],
    ['unhandledRejection', onCrash('unhandled rejection')],
  ]);
  for (const [event, listener] of listeners) signals.on(event, listener);

  return {
    begin,
    dispose() {
      for (const [event, listener] of listeners) signals.off(event, listener);
    },
  };
}

/** Resolves with whether every step succeeded before the deadline; never rejects. */
async function runInOrder({ steps, deadlineMs, log }: ShutdownOptions): Promise<boolean> {
  const end = performance.now() + deadlineMs;
  let isClean = true;
  for (const { name, run } of steps) {
    const began = performance.now();
    const ms = () => Math.round(performance.now() - began);
    try {
      const isDone = await within(Math.max(0, end - began), (left) => run(left));
      if (isDone) log.info({ step: name, ms: ms() }, 'shutdown step done');
      else {
        log.error({ step: name, ms: ms() }, 'shutdown deadline passed');
        return false;
      }
    } catch (error) {
      log.error({ step: name, ms: ms(), err: error }, 'shutdown step failed');
      isClean = false;
    }
  }
  return isClean;
}

/** False if the work was not done in time. Work that is ready at once is done, even with no time left. */
async function within(left: number, work: (left: number) => void | Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), left);
  });
  try {
    return await Promise.race([Promise.resolve(work(left)).then(() => true as const), late]);
  } finally {
    clearTimeout(timer);
  }
}
