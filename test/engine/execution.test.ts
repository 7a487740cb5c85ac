import { describe, expect, test } from 'vitest';
import { run, states } from './run.ts';

describe('runExecution', () => {
  test('passes data from state to state and ends with the last output', async () => {
    const { result, calls } = await run(
      states({
        First: { Type: 'Pass', Result: { n: 1 }, ResultPath: '$.first', Next: 'Second' },
        Second: {
          Type: 'Task',
          Resource: 'arn:aws:states:::lambda:invoke',
          Parameters: { 'n.$': '$.first.n' },
          End: true,
        },
      }),
      { input: { given: true }, runTask: async ({ parameters }) => ({ Payload: parameters }) },
    );
    expect(result).toEqual({
      status: 'SUCCEEDED',
      output: { Payload: { n: 1 } },
      startDate: Date.UTC(2026, 0, 1),
      stopDate: Date.UTC(2026, 0, 1),
    });
    expect(calls).toMatchObject([
      { resource: 'arn:aws:states:::lambda:invoke', stateName: 'Second', executionName: 'test' },
    ]);
  });
});
