import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type FoundOutput, judgeOutput, type ToldOutput } from '../../../src/core/jobs/job-output.ts';

const found = (output: Partial<FoundOutput> = {}): FoundOutput => ({
  answered: 100,
  lines: 100,
  unreadable: 0,
  isCutOff: false,
  ...output,
});
const told = (output: Partial<ToldOutput> = {}): ToldOutput => ({
  status: 'Completed',
  records: 100,
  processed: [100, 100],
  ...output,
});

describe('the output of a job', () => {
  test.each<[string, Partial<FoundOutput>, Partial<ToldOutput>, 'whole' | 'missing']>([
    ['with every record', {}, {}, 'whole'],
    ['that is not there yet', { answered: 0, lines: 0 }, {}, 'missing'],
    ['of which a part is there', { answered: 60, lines: 60 }, {}, 'missing'],
    [
      'of which only the manifest knows',
      { answered: 0, lines: 0 },
      { processed: [undefined, 100] },
      'missing',
    ],
    ['of which only the job knows', { answered: 0, lines: 0 }, { processed: [100, null] }, 'missing'],
    ['of which nobody knows', { answered: 0, lines: 0 }, { processed: [undefined, undefined] }, 'whole'],
    ['whose count cannot be', { answered: 95, lines: 95 }, { processed: [95, 105] }, 'whole'],
    ['with some damaged lines', { answered: 97, unreadable: 3 }, {}, 'whole'],
    ['that ends in the middle of a line', { answered: 99, unreadable: 1, isCutOff: true }, {}, 'missing'],
    ['of damaged lines alone', { answered: 0, unreadable: 100 }, {}, 'missing'],
    ['of a job that failed', { answered: 0, lines: 0 }, { status: 'Failed', processed: [50] }, 'whole'],
    [
      'of a job that was stopped',
      { answered: 0, lines: 0 },
      { status: 'Stopped', processed: [50] },
      'missing',
    ],
  ])('%s', (_, output, said, kind) => {
    expect(judgeOutput(found(output), told(said)).kind).toBe(kind);
  });

  test('is never asked for again where every processed record has its line', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.nat(1000), fc.boolean(), (processed, more, isCutOff) => {
        const records = processed + more;
        const verdict = judgeOutput(
          found({ answered: processed, lines: processed, isCutOff }),
          told({ records, processed: [processed] }),
        );
        expect(verdict.kind).toBe('whole');
      }),
    );
  });
});

describe('a record without a line', () => {
  test.each<[string, Partial<FoundOutput>, Partial<ToldOutput>, boolean]>([
    ['was tried by a job that completed', { answered: 99 }, {}, true],
    [
      'was not tried by a job that expired in its queue',
      { answered: 0, lines: 0 },
      { status: 'Expired', processed: [0] },
      false,
    ],
    [
      'was not tried by a job that failed its validation',
      { answered: 0, lines: 0 },
      { status: 'Failed', processed: [undefined] },
      false,
    ],
    [
      'was not tried by a job that says how far it came',
      { answered: 50, lines: 50 },
      { status: 'Stopped', processed: [50] },
      false,
    ],
    [
      'may have been tried by a job that lost some',
      { answered: 0, lines: 0 },
      { status: 'Failed', processed: [50] },
      true,
    ],
    [
      'may have been tried where no count tells and there is output',
      { answered: 50, lines: 50 },
      { status: 'Stopped', processed: [] },
      true,
    ],
  ])('%s', (_, output, said, wasTried) => {
    expect(judgeOutput(found(output), told(said)).wasTried).toBe(wasTried);
  });
});
