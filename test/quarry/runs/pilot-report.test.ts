import { expect, test } from 'vitest';
import { type PilotRun, reportPilot } from '../../../src/quarry/runs/pilot-report.ts';

const MODEL = 'us.amazon.nova-lite-v1:0';
const part = (id: string, records: number, bytes: number) => ({
  part_id: id,
  variant: 0,
  first_row: 0,
  rows: records,
  records,
  bytes,
});

function pilotOf(more: Partial<PilotRun> = {}): PilotRun {
  const plan = {
    variants: [{ model: { model_id: MODEL } }],
    input: {},
    min_records_per_job: 100,
    max_attempts: 3,
  };
  return {
    plan: plan as unknown as PilotRun['plan'],
    summary: {
      rows: { total: 1_050, succeeded: 100, failed: 0, not_sent: 950 },
      tokens: { input: 10_000, output: 5_000 },
      cost_usd: 1,
    },
    parts: [part('p00001', 100, 20_000), part('p00002', 900, 360_000), part('p00003', 50, 10_000)],
    sent: new Set(['p00001']),
    ...more,
  };
}

test('input goes by the bytes of the other records, answers by their number, and those below a job’s minimum cost twice', () => {
  const { whole, ...seen } = reportPilot(pilotOf());
  expect(seen).toEqual({
    records: 100,
    answers: 100,
    input_tokens: 10_000,
    output_tokens: 5_000,
    cost_usd: 1,
  });
  // Records of the second part have twice the bytes.
  expect(whole).toMatchObject({
    input_tokens: 10_000 + 180_000 + 5_000,
    output_tokens: 5_000 + 45_000 + 2_500,
  });
  // Nova Lite: $0.03 and $0.12 a million.
  const batch = (180_000 * 0.03 + 45_000 * 0.12) / 1e6;
  const onDemand = (2 * (5_000 * 0.03 + 2_500 * 0.12)) / 1e6;
  expect(whole?.usd).toBeCloseTo(1 + batch + onDemand, 9);
});

test('records without an answer are sent again, as often as the pilot’s, and at most so often as the run sends any', () => {
  const answered = (succeeded: number) => {
    const { summary } = pilotOf();
    return reportPilot(pilotOf({ summary: { ...summary, rows: { ...summary.rows, succeeded } } })).whole;
  };
  expect(answered(50)?.output_tokens).toBe(5_000 + 2 * 47_500);
  expect(answered(1)?.output_tokens).toBe(5_000 + 3 * 47_500);
  expect(answered(0)).toBeNull();
});

test('without a price of the model there are tokens and no dollars', () => {
  const { plan, summary } = pilotOf();
  const nobody = { ...plan, variants: [{ model: { model_id: 'nobody.unheard-of-v1:0' } }] };
  const unpriced = reportPilot(
    pilotOf({ plan: nobody as unknown as PilotRun['plan'], summary: { ...summary, cost_usd: null } }),
  );
  expect(unpriced).toMatchObject({ cost_usd: null, whole: { input_tokens: 195_000, usd: null } });
});
