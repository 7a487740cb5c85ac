import { expect, test } from 'vitest';
import { runsText } from '../../../src/cli/commands/runs-command.ts';
import type { ListedRun } from '../../../src/index.ts';

test('the table has dollars that were paid, and the age of each run', () => {
  const run: ListedRun = {
    run_id: 'jokes',
    at: 'local',
    status: 'succeeded',
    rows: 1_000,
    answered: 998,
    model: 'nova',
    cost_usd: 0.1234,
    billed: false,
    started: '2026-01-01T00:00:00.000Z',
  };
  const nowMs = Date.UTC(2026, 0, 1, 2, 7);
  const text = runsText([run, { ...run, run_id: 'paid', billed: true }], { width: 200, nowMs });
  expect(text).toMatch(/jokes +│ local +│ succeeded +│ 1000 +│ 998 +│ +│ 2 h 7 min +│ nova/);
  expect(text).toMatch(/paid +│.*│ \$0\.1234 +│/);
  const far: ListedRun = { ...run, status: null, rows: null, answered: null, cost_usd: null, billed: null };
  const told = runsText([{ ...far, fault: 'It is \u001b[31mgone.' }], { width: 200, nowMs });
  expect(told).toMatch(/\nIt is \\u001b\[31mgone\.$/);
});
