import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { affordableParts, type BudgetMode, type PartUsd, reckonedUsd } from '../../../src/core/run/budget.ts';

/** A part, and what it really takes, which is no more than its worst. */
interface ScriptedPart extends PartUsd {
  actual: number;
}

/** Dollars in thousandths: whole numbers add up. */
const anyPart: fc.Arbitrary<ScriptedPart> = fc
  .record({ worst: fc.nat(1000), expected: fc.nat(100), actual: fc.nat(100) })
  .map(({ worst, expected, actual }) => ({
    worst,
    expected: Math.floor((worst * expected) / 100),
    actual: Math.floor((worst * actual) / 100),
  }));

interface ScriptedRun {
  parts: ScriptedPart[];
  maxUsd: number;
  /** Which of the open parts ends next, each time that none may be sent. */
  ends: number[];
}

const anyRun: fc.Arbitrary<ScriptedRun> = fc.record({
  parts: fc.array(anyPart, { maxLength: 30 }),
  maxUsd: fc.nat(8000),
  ends: fc.array(fc.nat(29), { minLength: 1, maxLength: 30 }),
});

/** Runs a script to its end: parts go as soon as they may, and end in any order. */
function play({ parts, maxUsd, ends }: ScriptedRun, mode: BudgetMode): { sent: ScriptedPart[]; usd: number } {
  const waiting = [...parts];
  const open: ScriptedPart[] = [];
  const sent: ScriptedPart[] = [];
  let usd = 0;
  for (let turn = 0; ; turn += 1) {
    const openUsd = open.reduce((sum, { worst }) => sum + worst, 0);
    const next = waiting.splice(0, affordableParts(waiting, { mode, maxUsd, spentUsd: usd, openUsd }));
    open.push(...next);
    sent.push(...next);
    if (open.length === 0) return { sent, usd };
    const [ended] = open.splice((ends[turn % ends.length] ?? 0) % open.length, 1);
    usd += ended?.actual ?? 0;
  }
}

describe('over thousands of scripted runs', () => {
  test('a run at its worst never costs more than it may', () => {
    fc.assert(
      fc.property(anyRun, (run) => {
        expect(play(run, 'worst').usd).toBeLessThanOrEqual(run.maxUsd);
      }),
      { numRuns: 3000 },
    );
  });

  test('a run as it is expected costs more by one part at most', () => {
    fc.assert(
      fc.property(anyRun, (run) => {
        const { sent, usd } = play(run, 'expected');
        const dearest = Math.max(0, ...sent.map(({ worst, expected }) => worst - expected));
        expect(usd).toBeLessThanOrEqual(run.maxUsd + dearest);
      }),
      { numRuns: 3000 },
    );
  });

  test('a run as it is expected sends no less than at its worst, and all of it where the worst of all is affordable', () => {
    fc.assert(
      fc.property(anyRun, (run) => {
        const worst = run.parts.reduce((sum, part) => sum + part.worst, 0);
        expect(play({ ...run, maxUsd: worst }, 'worst').sent).toEqual(run.parts);
        const first = { spentUsd: 0, openUsd: 0, maxUsd: run.maxUsd };
        expect(affordableParts(run.parts, { ...first, mode: 'expected' })).toBeGreaterThanOrEqual(
          affordableParts(run.parts, { ...first, mode: 'worst' }),
        );
      }),
      { numRuns: 1000 },
    );
  });
});

test('a part is reckoned at what was spent, the most of what is open and of the parts before it, and its own by the mode', () => {
  const parts = [
    { worst: 4, expected: 1 },
    { worst: 2, expected: 2 },
  ];
  expect(reckonedUsd(parts, { mode: 'worst', spentUsd: 10, openUsd: 5 })).toEqual([19, 21]);
  expect(reckonedUsd(parts, { mode: 'expected', spentUsd: 10, openUsd: 5 })).toEqual([16, 21]);
});

test('parts go in their order: what is behind one that may not go waits', () => {
  const parts = [3, 9, 1].map((worst) => ({ worst, expected: worst }));
  expect(affordableParts(parts, { mode: 'worst', spentUsd: 0, openUsd: 0, maxUsd: 5 })).toBe(1);
  expect(affordableParts(parts, { mode: 'worst', spentUsd: 0, openUsd: 0, maxUsd: 12 })).toBe(2);
  expect(affordableParts(parts, { mode: 'worst', spentUsd: 6, openUsd: 0, maxUsd: 5 })).toBe(0);
  expect(
    affordableParts(parts, { mode: 'worst', spentUsd: 1, openUsd: 0, maxUsd: Number.POSITIVE_INFINITY }),
  ).toBe(3);
});
