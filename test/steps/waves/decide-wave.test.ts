import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PreparedPart, WavePart } from '../../../src/core/plan/part.ts';
import type { PartLedger, Reason } from '../../../src/core/run/ledger.ts';
import {
  type Budget,
  decideWave,
  modeOf,
  overBudget,
  type WaveSituation,
} from '../../../src/steps/waves/decide-wave.ts';
import type { Turn } from '../../../src/steps/waves/turns.ts';

const part = (part_id: string, records: number): PreparedPart => ({
  part_id,
  variant: 0,
  first_row: 0,
  rows: 500,
  records,
  bytes: records,
});

const situation = (given: Partial<WaveSituation>): WaveSituation => ({
  runUri: 's3://bucket/runs/r',
  wave: 0,
  prepared: [],
  turns: [],
  limits: { minRecords: 100, maxRecords: 1000, maxBytes: 1e9, slots: 20 },
  variants: [{ name: undefined, modelId: 'm', slots: 20 }],
  pilot: false,
  budget: undefined,
  stop: undefined,
  ...{ resumed: { wave: 0 }, maxAttempts: 3, ...given },
});

/** A part's turn in which so many records were answered, and so many are owed. */
function turn(
  part_id: string,
  given: { wave?: number; records: number; owed?: number; reasons?: Reason[] } & Partial<
    Pick<PartLedger, 'job_status' | 'job_message'>
  > &
    Partial<Pick<WavePart, 'sources' | 'mode'>>,
): Turn {
  const { wave = 1, records, owed = 0, reasons = [] } = given;
  const failed = Math.max(
    owed,
    reasons.reduce((sum, { rows }) => sum + rows, 0),
  );
  return {
    part: {
      run_uri: 's3://bucket/runs/r',
      part_id,
      variant: 0,
      wave,
      attempt: wave,
      mode: given.mode ?? 'batch',
      records,
      bytes: records * 10,
      sources: given.sources ?? [],
      run_max_usd: null,
    },
    ledger: {
      part_id,
      wave,
      rows: { total: records, succeeded: records - failed, failed, not_sent: 0 },
      tokens: { input: 0, output: 0 },
      reasons,
      stray_lines: 0,
      job_arn: 'arn',
      job_status: given.job_status ?? 'Completed',
      job_message: given.job_message ?? null,
      owed: { records: owed, bytes: owed * 10 },
    },
  };
}

/** A budget under which a record costs a cent at its worst, half of that as it is expected, and on demand twice as much. */
const budget = (given: Partial<Budget>): Budget => ({
  mode: 'worst',
  maxUsd: 10,
  spentUsd: 0,
  costs: [
    {
      price: { batch: { input: 0, output: 1 }, on_demand: { input: 0, output: 2 }, isGiven: false },
      most: { inputPerByte: 0, outputPerRecord: 10_000 },
      expected: { inputPerByte: 0, outputPerRecord: 5_000 },
    },
  ],
  ...given,
});

const reason = (error_code: string, rows: number, example_message = 'Why.'): Reason => ({
  error_code,
  rows,
  example_record_id: 'r1',
  example_message,
});

describe('the first wave', () => {
  const prepared = [part('p00001', 500), part('p00002', 99), part('p00003', 0)];

  test('has every prepared part, each run as its number of records allows', () => {
    const { parts } = decideWave(situation({ prepared }));
    expect(
      parts.map(({ part_id, mode, wave, attempt, sources }) => [part_id, mode, wave, attempt, sources]),
    ).toEqual([
      ['p00001', 'batch', 1, 1, []],
      ['p00002', 'on_demand', 1, 1, []],
      ['p00003', 'none', 1, 1, []],
    ]);
  });

  test('is the pilot alone where there are three parts or more', () => {
    const ids = (given: Partial<WaveSituation>) =>
      decideWave(situation({ pilot: true, ...given })).parts.map(({ part_id }) => part_id);
    expect(ids({ prepared })).toEqual(['p00001']);
    expect(ids({ prepared: prepared.slice(0, 2) })).toEqual(['p00001', 'p00002']);
    expect(ids({ prepared, wave: 1, turns: [turn('p00001', { records: 500 })] })).toEqual([
      'p00002',
      'p00003',
    ]);
  });

  test('pilots with a part that makes a job, if there is one', () => {
    const small = ['p00001', 'p00002', 'p00003'].map((id) => part(id, 10));
    const ids = (parts: PreparedPart[]) =>
      decideWave(situation({ pilot: true, prepared: parts })).parts.map(({ part_id }) => part_id);
    expect(ids([...small, part('p00004', 100)])).toEqual(['p00004']);
    expect(ids(small)).toEqual(['p00001', 'p00002', 'p00003']);
  });

  test('says what the run will have cost at most after each part, on demand twice as much', () => {
    const { parts } = decideWave(situation({ prepared, budget: budget({}) }));
    expect(parts.map(({ run_max_usd }) => Number(run_max_usd?.toFixed(2)))).toEqual([5, 6.98, 6.98]);
  });

  test('has the parts that the budget has room for; the others wait for what these really cost', () => {
    const four = ['p00001', 'p00002', 'p00003', 'p00004'].map((id) => part(id, 500));
    const ids = (given: Partial<Budget>, more: Partial<WaveSituation> = {}) =>
      decideWave(situation({ prepared: four, budget: budget(given), ...more })).parts.map(
        ({ part_id }) => part_id,
      );
    expect(ids({ maxUsd: 12 })).toEqual(['p00001', 'p00002']);
    // The last one may be as dear as it is expected to be, those before it at their worst.
    expect(ids({ maxUsd: 12.5, mode: 'expected' })).toEqual(['p00001', 'p00002', 'p00003']);
    const turns = [turn('p00001', { records: 500 }), turn('p00002', { records: 500 })];
    expect(ids({ maxUsd: 12, spentUsd: 2 }, { wave: 1, turns })).toEqual(['p00003', 'p00004']);
    expect(ids({ maxUsd: 12, spentUsd: 6 }, { wave: 1, turns })).toEqual(['p00003']);
  });

  test('in which no part is affordable gives each a turn that says so', () => {
    const { parts, stop } = decideWave(situation({ prepared, budget: budget({ maxUsd: 4 }) }));
    expect(stop).toBeUndefined();
    expect(parts.map((of) => overBudget(of, 4) === undefined)).toEqual([false, false, false]);
  });
});

describe('a repair wave', () => {
  test('gathers what is owed over all parts into as few as there need be', () => {
    const turns = [
      turn('p00001', { records: 500, owed: 60 }),
      turn('p00002', { records: 500 }),
      turn('p00003', { records: 500, owed: 80 }),
    ];
    const { parts, stop } = decideWave(situation({ wave: 1, turns }));
    expect(stop).toBeUndefined();
    expect(parts).toMatchObject([
      {
        part_id: 'w2p00001',
        wave: 2,
        attempt: 2,
        mode: 'batch',
        records: 140,
        bytes: 1400,
        sources: [
          { part_id: 'p00001', owed_from: 0, owed_count: 60 },
          { part_id: 'p00003', owed_from: 0, owed_count: 80 },
        ],
      },
    ]);
  });

  test('of fewer records than the minimum runs on demand', () => {
    const { parts } = decideWave(situation({ wave: 1, turns: [turn('p00001', { records: 500, owed: 99 })] }));
    expect(parts).toMatchObject([{ mode: 'on_demand', records: 99 }]);
  });

  test('takes up what repair parts still owe, and nothing twice', () => {
    const sources = [{ part_id: 'p00001', owed_from: 0, owed_count: 200 }];
    const turns = [
      turn('p00001', { records: 500, owed: 200 }),
      turn('w2p00001', { wave: 2, records: 200, owed: 120, sources }),
    ];
    const { parts } = decideWave(situation({ wave: 2, turns }));
    expect(parts).toMatchObject([
      {
        part_id: 'w3p00001',
        attempt: 3,
        sources: [{ part_id: 'w2p00001', owed_from: 0, owed_count: 120 }],
      },
    ]);
  });

  test('has every owed record exactly once, in parts that a job may have', () => {
    const anyOwed = fc.array(fc.nat({ max: 700 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(anyOwed, fc.integer({ min: 100, max: 600 }), (owed, maxRecords) => {
        const turns = owed.map((count, index) => turn(`p${index}`, { records: 1000, owed: count }));
        const limits = { minRecords: 100, maxRecords, maxBytes: 1e9, slots: 3 };
        const { parts } = decideWave(situation({ wave: 1, turns, limits }));
        const taken = owed.map(() => 0);
        for (const { records, sources } of parts) {
          expect(records).toBeLessThanOrEqual(maxRecords);
          expect(records).toBe(sources.reduce((sum, { owed_count }) => sum + owed_count, 0));
          for (const { part_id, owed_from, owed_count } of sources) {
            const index = Number(part_id.slice(1));
            expect(owed_from).toBe(taken[index]);
            taken[index] = owed_from + owed_count;
          }
        }
        expect(taken).toEqual(owed);
      }),
    );
  });

  test('is not sent where it could cost more than the run may', () => {
    const turns = [turn('p00001', { records: 500, owed: 200 })];
    const most = (maxUsd: number) => budget({ maxUsd, spentUsd: 1.5 });
    expect(decideWave(situation({ wave: 1, turns, budget: most(3) }))).toEqual({
      parts: [],
      stop: {
        reason: 'budget',
        message:
          '200 records are owed another attempt, which could bring the cost to about $3.50, over max_cost_usd $3.00; $1.50 are spent. To send them, raise max_cost_usd and start the run again.',
      },
    });
    expect(decideWave(situation({ wave: 1, turns, budget: most(3.5) })).parts).toHaveLength(1);
  });

  test('of which a part is affordable has what the earliest parts owe, as long as that makes jobs', () => {
    const turns = ['p00001', 'p00002', 'p00003'].map((id) => turn(id, { records: 500, owed: 150 }));
    const next = (maxUsd: number, mode: 'expected' | 'worst' = 'worst') =>
      decideWave(situation({ wave: 1, turns, budget: budget({ maxUsd, mode }) }));
    expect(next(3.5)).toMatchObject({
      parts: [
        {
          records: 300,
          sources: [
            { part_id: 'p00001', owed_from: 0, owed_count: 150 },
            { part_id: 'p00002', owed_from: 0, owed_count: 150 },
          ],
        },
      ],
      stop: undefined,
    });
    expect(next(1.4)).toMatchObject({ parts: [], stop: { reason: 'budget' } });
    expect(next(2.25, 'expected').parts).toMatchObject([{ records: 450 }]);
    const few = [turn('p00001', { records: 500, owed: 60 }), turn('p00002', { records: 500, owed: 200 })];
    const dear = situation({ wave: 1, turns: few, budget: budget({ maxUsd: 1.5 }) });
    expect(decideWave(dear)).toMatchObject({ parts: [], stop: { reason: 'budget' } });
  });

  test('is reckoned with what models are shown of their bad answers', () => {
    const turns = [turn('p00001', { records: 500, owed: 200 })];
    const costs = budget({}).costs.map((cost) => ({
      ...cost,
      price: { ...cost.price, batch: { input: 1, output: 1 } },
    }));
    const asked = situation({ wave: 1, turns, budget: budget({ costs }), reask: { bytes: 5, tokens: 1000 } });
    expect(decideWave(asked).parts[0]?.run_max_usd).toBeCloseTo(200 * (0.01 + 0.001), 9);
  });

  test('is none where nothing is owed', () => {
    expect(decideWave(situation({ wave: 1, turns: [turn('p00001', { records: 500 })] }))).toEqual({
      parts: [],
      stop: undefined,
    });
  });

  test('has what was too dear at first, once the others have cost less than they might have', () => {
    const reasons = [reason('BudgetExceeded', 500, 'Too dear.')];
    const dear = turn('p00001', { records: 500, owed: 500, reasons });
    const next = (spentUsd: number) =>
      decideWave(situation({ wave: 1, turns: [dear], budget: budget({ spentUsd }) }));
    expect(next(4)).toMatchObject({ parts: [{ records: 500, run_max_usd: 9 }], stop: undefined });
    expect(next(6)).toMatchObject({ parts: [], stop: { reason: 'budget' } });
  });
});

describe('a run is stopped', () => {
  const failed = (part_id: string, message: string, wave = 1) =>
    turn(part_id, {
      wave,
      records: 100,
      owed: 100,
      reasons: [reason('JobFailed', 100)],
      job_status: 'Failed',
      job_message: message,
    });

  test('where the jobs of a wave failed alike', () => {
    const turns = [
      failed('p00001', 'No output at s3://b/p00001/x.jsonl, line 17.'),
      failed('p00002', 'No output at s3://b/p00002/x.jsonl, line 4.'),
    ];
    expect(decideWave(situation({ wave: 1, turns }))).toEqual({
      parts: [],
      stop: {
        reason: 'systematic_fault',
        message: '2 jobs failed alike, and none succeeded: No output at s3://b/p00001/x.jsonl, line 17.',
      },
    });
  });

  test('but not where they failed for different reasons, or one succeeded', () => {
    const different = [failed('p00001', 'This.'), failed('p00002', 'That.')];
    expect(decideWave(situation({ wave: 1, turns: different })).parts).toHaveLength(1);
    const one = [failed('p00001', 'This.'), turn('p00002', { records: 100 })];
    expect(decideWave(situation({ wave: 1, turns: one })).parts).toHaveLength(1);
  });

  test('where the only job failed twice alike', () => {
    const sources = [{ part_id: 'p00001', owed_from: 0, owed_count: 100 }];
    const first = failed('p00001', 'This.');
    expect(decideWave(situation({ wave: 1, turns: [first] })).stop).toBeUndefined();
    const second = failed('w2p00001', 'This.', 2);
    second.part.sources = sources;
    expect(decideWave(situation({ wave: 2, turns: [first, second] })).stop).toMatchObject({
      message: '2 jobs failed alike, and none succeeded: This.',
    });
  });

  test('where no part of a wave could be sent', () => {
    const unsent = turn('p00001', { records: 100, owed: 100, reasons: [reason('TypeError', 100)] });
    unsent.ledger.job_arn = null;
    unsent.ledger.rows = { total: 100, succeeded: 0, failed: 0, not_sent: 100 };
    expect(decideWave(situation({ wave: 1, turns: [unsent] })).stop?.message).toBe(
      'No part of wave 1 could be sent: Why.',
    );
  });

  test('after a pilot of which over half failed, and the other parts get a turn that sends nothing', () => {
    const prepared = ['p00001', 'p00002', 'p00003'].map((id) => part(id, 100));
    const pilot = (rows: number, code: string) =>
      decideWave(
        situation({
          wave: 1,
          prepared,
          turns: [turn('p00001', { records: 100, reasons: [reason(code, rows, 'Bad request.')] })],
        }),
      );
    const stopped = pilot(51, '400');
    expect(stopped.stop?.message).toMatch(
      /^51 of the 100 records of the pilot failed: 51 with 400 \(Bad request\.\)\./,
    );
    expect(stopped.parts.map(({ part_id }) => part_id)).toEqual(['p00002', 'p00003']);
    expect(pilot(50, '400').stop).toBeUndefined();
    // A job that ran out of time says nothing of its records.
    expect(pilot(100, 'JobExpired').stop).toBeUndefined();
  });

  test('and not again for the same wave once it was started again', () => {
    const turns = [failed('p00001', 'This.'), failed('p00002', 'This.')];
    const { parts, stop } = decideWave(situation({ wave: 1, turns, resumed: { wave: 1 } }));
    expect(stop).toBeUndefined();
    expect(parts).toMatchObject([{ part_id: 'w2p00001', records: 200 }]);
  });

  test('and then decides nothing more', () => {
    const stop = { reason: 'cancelled', message: 'Enough.' } as const;
    const turns = [turn('p00001', { records: 500, owed: 200 })];
    expect(decideWave(situation({ wave: 1, turns, stop }))).toEqual({ parts: [], stop });
  });
});

test('the minimum itself makes a job', () => {
  expect(modeOf(100, 100)).toBe('batch');
  expect(modeOf(99, 100)).toBe('on_demand');
});

test('what variants owe is packed apart: a job asks one model with one prompt', () => {
  const owing = (part_id: string, variant: number): Turn => {
    const { part: ofFirst, ledger } = turn(part_id, { records: 500, owed: 150 });
    return { part: { ...ofFirst, variant }, ledger };
  };
  const turns = [owing('p00001', 0), owing('p00002', 1), owing('p00003', 0)];
  const { parts } = decideWave(situation({ wave: 1, turns }));
  expect(
    parts.map(({ part_id, variant, records, sources }) => [
      part_id,
      variant,
      records,
      sources.map((source) => source.part_id),
    ]),
  ).toEqual([
    ['w2p00001', 0, 300, ['p00001', 'p00003']],
    ['w2p00002', 1, 150, ['p00002']],
  ]);
});
