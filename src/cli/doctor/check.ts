/** What the doctor finds: one line each, and what to do where it is not well. */
export type Check = {
  readonly name: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly found: string;
  readonly advice?: string;
};

export const ok = (name: string, found: string): Check => ({ name, status: 'ok', found });
export const warn = (name: string, found: string, advice: string): Check => ({ name, status: 'warn', found, advice });
export const fail = (name: string, found: string, advice: string): Check => ({ name, status: 'fail', found, advice });

/** Milliseconds by which clocks may differ unnoticed, and above which tokens are refused. */
const SKEW_WARN_MS = 2_000;
const SKEW_FAIL_MS = 60_000;

/** `skew`: the other clock minus this one's, in milliseconds, known to within `error`. */
export function clockCheck(name: string, skew: number, error: number): Check {
  const off = Math.max(0, Math.abs(skew) - error);
  const found = off === 0 ? 'agrees with this machine' : `${Math.round(off)} ms ${skew > 0 ? 'ahead' : 'behind'}`;
  const advice =
    'Let NTP (chrony, systemd-timesyncd) set the clocks: tokens, presence and delivery times rest on them.';
  if (off > SKEW_FAIL_MS) return fail(name, found, advice);
  return off > SKEW_WARN_MS ? warn(name, found, advice) : ok(name, found);
}
