import { describe } from 'vitest';
import { boxLaws } from './box-laws.js';
import { deviceLaws } from './device-laws.js';
import { hintLaws } from './hint-laws.js';
import { logLaws } from './log-laws.js';
import { nodesLaws } from './nodes-laws.js';
import { pageLaws } from './page-laws.js';
import { pollLaws } from './poll-laws.js';
import { presenceLaws } from './presence-laws.js';
import { receiptLaws } from './receipt-laws.js';
import { retentionLaws } from './retention-laws.js';
import { roomLaws } from './room-laws.js';
import { amendmentLaws } from './social-amendment-laws.js';
import { blockLaws } from './social-block-laws.js';
import { socialBoxLaws } from './social-box-laws.js';
import { conversationLaws } from './social-conversation-laws.js';
import { erasureLaws } from './social-erasure-laws.js';
import { pagingLaws } from './social-paging-laws.js';
import type { Subject } from './town.js';

/** Registers everything that src/chat/ports.ts and social-ports.ts promise, as tests of one backend. */
export function laws(subject: Subject): void {
  describe(`on ${subject.name}`, () => {
    logLaws(subject);
    boxLaws(subject);
    retentionLaws(subject);
    pageLaws(subject);
    deviceLaws(subject);
    receiptLaws(subject);
    pollLaws(subject);
    presenceLaws(subject);
    roomLaws(subject);
    hintLaws(subject);
    if (subject.manyNodes) nodesLaws(subject);
    socialLaws(subject);
  });
}

function socialLaws(subject: Subject): void {
  amendmentLaws(subject);
  socialBoxLaws(subject);
  conversationLaws(subject);
  pagingLaws(subject);
  blockLaws(subject);
  erasureLaws(subject);
}
