const UNITS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** `90` or `90s`, `15m`, `2h`, `30d`, in seconds; undefined where it is none of these. */
export function secondsOf(text: string): number | undefined {
  const [, amount, unit = 's'] = /^(\d{1,9})([smhd])?$/.exec(text) ?? [];
  return amount === undefined ? undefined : Number(amount) * UNITS[unit as keyof typeof UNITS];
}
