/** Colours where they are wanted: on a terminal that has them, unless NO_COLOR says no. */
const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;
const NAMES = [32, 33, 34, 35, 36, 92, 94, 95, 96] as const;

export type Paint = {
  (style: keyof typeof CODES, text: string): string;
  /** A user's name in a colour that is always theirs. */
  user(uid: string): string;
};

export function createPaint(hasColours: boolean): Paint {
  const dye = (code: number, text: string) => (hasColours && text !== '' ? `\x1b[${code}m${text}\x1b[0m` : text);
  return Object.assign((style: keyof typeof CODES, text: string) => dye(CODES[style], text), {
    user: (uid: string) => dye(NAMES[hashOf(uid) % NAMES.length] ?? 0, uid),
  });
}

const hashOf = (text: string): number => {
  let hash = 7;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) >>> 0;
  return hash;
};

export const wantsColours = (stream: { readonly isTTY?: boolean | undefined }): boolean =>
  stream.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
