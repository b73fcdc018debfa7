/** Options of the command line, read and checked. */
import { type ParseArgsConfig, parseArgs } from 'node:util';

export type Values = Readonly<Record<string, string | boolean | undefined>>;

export function valuesOf(options: NonNullable<ParseArgsConfig['options']>): Values {
  const { values } = parseArgs({ options, strict: true });
  return values as Values;
}

/** A positive number, or undefined where none is given. */
export function numberIn(values: Values, name: string): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  const number = Number(text);
  if (!Number.isFinite(number) || number <= 0) throw new Error(`--${name}: a positive number, not ${text}`);
  return number;
}

export function countIn(values: Values, name: string): number | undefined {
  const number = numberIn(values, name);
  if (number !== undefined && !Number.isInteger(number)) throw new Error(`--${name}: a whole number, not ${number}`);
  return number;
}

export function choiceIn<T extends string>(values: Values, name: string, choices: readonly T[]): T | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  const choice = choices.find((each) => each === text);
  if (choice === undefined) throw new Error(`--${name}: one of ${choices.join(', ')}, not ${text}`);
  return choice;
}

export function listIn<T extends string>(
  values: Values,
  name: string,
  choices: readonly T[],
): readonly T[] | undefined {
  const text = values[name];
  if (typeof text !== 'string') return undefined;
  return text.split(',').map((each) => choiceIn({ [name]: each }, name, choices) as T);
}

/** Tells what was wrong with the command line, or with the run, and ends. */
export function fail(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  // What was started is ended by its own exit handler; waiting for it here could be for ever.
  process.exit(1);
}
