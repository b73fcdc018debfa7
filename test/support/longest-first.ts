import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that take longest, in that order: begun last, one of them would go on alone when all else is over. */
const LONGEST = [
  'chaos/run',
  'cli/send-tail',
  'contract/redis',
  'server/stream-resume',
  'faults/readiness',
  'faults/controls',
  'hostile/hostile',
  'hostile/rights',
  'cli/token',
  'cli/chat',
  'loadtest/soak',
  'browser/page',
  'faults/odds',
  'browser/messenger',
  'browser/reading',
  'browser/groups',
  'browser/speed',
];

/** The same order on every machine: neither the size of a file nor an earlier run decides. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rankOf = ({ moduleId }: TestSpecification): number => {
      const rank = LONGEST.findIndex((name) => moduleId.endsWith(`test/${name}.test.ts`));
      return rank < 0 ? LONGEST.length : rank;
    };
    return files.toSorted((a, b) => rankOf(a) - rankOf(b) || (a.moduleId < b.moduleId ? -1 : 1));
  }
}
