/** All faults, by the name that the command line knows. */
import { CLIENT_FAULTS } from './clients.js';
import type { Fault } from './fault.js';
import { LINK_FAULTS } from './links.js';
import { NODE_FAULTS } from './nodes.js';
import { REDIS_FAULTS } from './redis.js';

const ALL = { ...NODE_FAULTS, ...REDIS_FAULTS, ...LINK_FAULTS, ...CLIENT_FAULTS };
export type FaultName = keyof typeof ALL;
export const FAULTS: Readonly<Record<FaultName, Fault>> = ALL;
export const FAULT_NAMES = Object.keys(ALL) as FaultName[];
