/** What a fault is. */
import type { Crowd } from '../crowd.js';
import type { Random } from '../random.js';
import type { Site } from '../site/site.js';
import type { Storm } from '../storm.js';

/** Everything that a fault can reach. */
export type Scene = {
  readonly site: Site;
  readonly crowd: Crowd;
  readonly storm: Storm;
  /** Whether no other fault is there, and all is well after the last one. */
  readonly isCalm: () => boolean;
};

export type Injury = {
  /** In words, for who watches. */
  readonly what: string;
  /** Does it, and undoes it after so many milliseconds, or when it has run its course. */
  inflict(ms: number): Promise<void>;
};

/** Two faults at once never have the same victim. */
export type Victim = 'node' | 'redis' | 'link' | 'clients';

export type Fault = {
  readonly about: string;
  readonly victim: Victim;
  /** How long it lasts, least and most. */
  readonly seconds: readonly [number, number];
  /** Only where there is a second Redis. */
  readonly needsReplica?: true;
  prepare(scene: Scene, random: Random): Injury;
};
