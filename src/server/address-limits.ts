/** What one address may take of a node: connections at a time, and tries to log in. */
import { Bucket, Buckets } from '../chat/bucket.js';
import type { Cell, Meter } from '../chat/meter.js';
import { clientOf, householdOf, type Network, Networks } from './addresses.js';
import type { Request } from './transport.js';

/** Who shares a limit; undefined: nobody limits them. */
export type Household = string | undefined;

export type AddressLimitsParts = {
  /** Who is believed what it says of the address before it. */
  readonly proxies: readonly Network[];
  /** Who has no limits. */
  readonly exempt: readonly Network[];
  /** Connections at a time. */
  readonly sockets: number;
  /** Log-ins a second; ten seconds' worth are saved up. */
  readonly logins: number;
  readonly meter: Meter;
  /** Told once of an address that sends `X-Forwarded-For` and is no configured proxy. */
  readonly onUnknownProxy: (address: string) => void;
};

const SAVED_SECONDS = 10;
/** What a log-in with bad credentials costs, in log-ins. */
const FAILURE = 10;
/** Addresses whose log-ins are remembered. */
const HOUSEHOLDS_MAX = 50_000;
const COME_BACK_MS = 5_000;

export class AddressLimits {
  private readonly proxies: Networks;
  private readonly exempt: Networks;
  private readonly sockets = new Map<string, number>();
  private readonly logins: Buckets;
  private readonly refusedSockets: Cell;
  private readonly refusedLogins: Cell;
  private hasWarned = false;

  constructor(private readonly parts: AddressLimitsParts) {
    const { proxies, exempt, logins, meter } = parts;
    this.proxies = new Networks(proxies);
    this.exempt = new Networks(exempt);
    this.logins = new Buckets(HOUSEHOLDS_MAX, () => new Bucket(logins, performance.now(), logins * SAVED_SECONDS));
    this.refusedSockets = meter.cell('skein_address_refusals_total', 'connections');
    this.refusedLogins = meter.cell('skein_address_refusals_total', 'logins');
  }

  householdOf(request: Request): Household {
    const forwarded = request.header('x-forwarded-for');
    const { address, isProxy } = clientOf(request.address, forwarded, this.proxies);
    if (forwarded !== undefined && address === request.address && !isProxy) this.warn(address);
    return isProxy || this.exempt.has(address) ? undefined : householdOf(address);
  }

  /** Milliseconds after which a connection may be tried again; 0: it may come now. */
  waitToEnter(household: Household): number {
    if (household === undefined || (this.sockets.get(household) ?? 0) < this.parts.sockets) return 0;
    this.refusedSockets.value++;
    return COME_BACK_MS * (0.5 + Math.random());
  }

  /** Counts a connection, which is to leave once in any case. Returns whether there is room for it. */
  enter(household: Household): boolean {
    if (household === undefined) return true;
    const count = (this.sockets.get(household) ?? 0) + 1;
    this.sockets.set(household, count);
    return count <= this.parts.sockets;
  }

  leave(household: Household): void {
    if (household === undefined) return;
    const left = (this.sockets.get(household) ?? 0) - 1;
    if (left > 0) this.sockets.set(household, left);
    else this.sockets.delete(household);
  }

  /** Milliseconds after which a log-in may be tried again; 0: now, which is counted. */
  waitToLogIn(household: Household): number {
    if (household === undefined) return 0;
    const wait = this.logins.of(household).take(performance.now());
    if (wait > 0) this.refusedLogins.value++;
    return wait;
  }

  /** The credentials were good, and for a single request, which has a rate of its own. */
  proven(household: Household): void {
    this.charge(household, -1);
  }

  /** The credentials were bad. */
  failed(household: Household): void {
    this.charge(household, FAILURE);
  }

  /** A connection of theirs was closed for flooding, which costs a second's worth of log-ins. */
  flooded(household: Household): void {
    this.charge(household, this.parts.logins);
  }

  private charge(household: Household, cost: number): void {
    if (household !== undefined) this.logins.of(household).charge(performance.now(), cost);
  }

  private warn(address: string): void {
    if (this.hasWarned) return;
    this.hasWarned = true;
    this.parts.onUnknownProxy(address);
  }
}
