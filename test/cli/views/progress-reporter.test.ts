import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createProgressReporter } from '../../../src/cli/views/progress-reporter.ts';
import type { WavePart } from '../../../src/core/plan/part.ts';
import type { RunPlan } from '../../../src/core/plan/run-plan.ts';
import type { RunEvent } from '../../../src/core/run/run-event.ts';

const plan = {
  run_id: 'jokes-1',
  selected_rows: 1000,
  variants: [{}] as unknown as RunPlan['variants'],
  parts: 1,
  notes: ['Mind the gap.'] as string[],
} as RunPlan;
const planned: RunEvent = { kind: 'planned', plan, isPaid: false };
const dispatched: RunEvent = {
  kind: 'dispatched',
  wave: 1,
  parts: [{ part_id: 'p00001', wave: 1, records: 1000, sources: [] } as unknown as WavePart],
};
const job = (processedRecords: number): RunEvent => ({
  kind: 'job',
  partId: 'p00001',
  jobArn: 'a/1',
  status: 'InProgress',
  submittedAt: null,
  totalRecords: 1000,
  processedRecords,
});

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 1, 12) });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A stream that keeps what is written to it, on a terminal or not. */
function keepingStream(isTTY: boolean) {
  const written: string[] = [];
  const stream = new PassThrough();
  stream.on('data', (chunk: Buffer) => written.push(chunk.toString()));
  return {
    written,
    stream: Object.assign(stream, { isTTY, columns: 80, rows: 24 }) as unknown as NodeJS.WriteStream,
  };
}

test('a log has the time on every line, and a line a minute at least while jobs run', async () => {
  const { stream, written } = keepingStream(false);
  const reporter = createProgressReporter(stream);
  reporter.report(planned);
  vi.advanceTimersByTime(30_000);
  reporter.report(dispatched);
  vi.advanceTimersByTime(20_000);
  reporter.report(job(120));
  // A minute after the last line, and every minute from there.
  vi.advanceTimersByTime(39_999);
  expect(written).toHaveLength(2);
  vi.advanceTimersByTime(1);
  reporter.report(job(620));
  vi.advanceTimersByTime(60_000);
  reporter.say('Stopping.');
  await reporter.stop();
  vi.advanceTimersByTime(600_000);
  expect(written.join('')).toBe(
    [
      '2026-01-01T12:00:00Z Plan: run jokes-1, 1,000 rows in 1 part',
      '2026-01-01T12:00:00Z Note: Mind the gap.',
      '2026-01-01T12:00:30Z Wave 1: 1 part, 1,000 records',
      '2026-01-01T12:01:30Z Running wave 1: 1 InProgress; 120 records of 1,000 done',
      '2026-01-01T12:02:30Z Running wave 1: 1 InProgress; 620 records of 1,000 done',
      'Stopping.',
      '',
    ].join('\n'),
  );
});

test('a log that waits for its plan says so', async () => {
  const { stream, written } = keepingStream(false);
  const reporter = createProgressReporter(stream);
  vi.advanceTimersByTime(60_000);
  await reporter.stop();
  expect(written.join('')).toBe('2026-01-01T12:01:00Z Planning: reading the dataset\n');
});

test('on a terminal the block is painted where it has changed, and a message stays above it', async () => {
  const { stream, written } = keepingStream(true);
  const reporter = createProgressReporter(stream);
  reporter.report(planned);
  vi.advanceTimersByTime(120_000);
  expect(written.join('')).toContain('Plan        run jokes-1: 1,000 rows in 1 part');
  // From a minute on the time is told in seconds: nine looks of ten find nothing new to paint.
  written.length = 0;
  vi.advanceTimersByTime(10_000);
  expect(written.filter((text) => text.includes('Elapsed') || /\d s/.test(text)).length).toBeLessThanOrEqual(
    11,
  );
  written.length = 0;
  reporter.say('\nStopping; press Ctrl-C again to stop at once.');
  const text = written.join('');
  expect(text.indexOf('Stopping;')).toBeGreaterThan(-1);
  expect(text.indexOf('Stopping;')).toBeLessThan(text.indexOf('Plan        run jokes-1'));
  await reporter.stop();
});
