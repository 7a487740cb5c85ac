import { expect, test } from 'vitest';
import { openEmulatedTarget, outputRows, runRows } from '../../support/emulated-run.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

test('what Claude thought has a column where it is asked to think: of what was paid for, and of no other', async () => {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({
    directory,
    quotas: { minRecordsPerJob: 1 },
    emulator: { faults: [{ fault: { kind: 'record-errors', fraction: 0.5, firstAttemptOnly: true } }] },
  });
  const run = async (run_id: string, keys: object) =>
    outputRows(await runRows(8, emulated, { directory, keys: { run_id, ...keys } }), directory);

  const thought = await run('thought', { thinking: 'low', reuse: true, max_attempts: 5 });
  expect(thought.some(({ attempts }) => Number(attempts) > 1)).toBe(true);
  for (const { thinking_tokens, output_tokens } of thought) {
    expect(Number(thinking_tokens)).toBeGreaterThan(0);
    expect(Number(thinking_tokens)).toBeLessThan(Number(output_tokens));
  }
  const reused = await run('reused', { thinking: 'low', reuse: true });
  expect(reused.map(({ reused_from, thinking_tokens }) => [reused_from, thinking_tokens])).toEqual(
    thought.map(() => ['thought', null]),
  );
  expect(reused.map(({ response }) => response)).toEqual(thought.map(({ response }) => response));
  const [off] = await run('off', { thinking: 'off', max_attempts: 5 });
  expect(off).not.toHaveProperty('thinking_tokens');
});
