import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RunPlan } from '../../src/core/plan/run-plan.ts';
import { RunSummary } from '../../src/core/run/summary.ts';
import type { FaultScript } from '../../src/emulator/faults/faults.ts';
import type { ReportSource } from '../../src/report/read-report.ts';
import { runLayout, runUriOf } from '../../src/runs/run-layout.ts';
import { createDirectoryStore } from '../../src/store/directory-store.ts';
import { readJson } from '../../src/store/json-object.ts';
import { LOCAL_BUCKET, sha256 } from '../../src/targets/local/local-target.ts';
import { stageDataset } from '../../src/targets/local/stage-dataset.ts';
import { MODEL, openEmulatedTarget, runEmulated } from './emulated-run.ts';

/** What a run for a report is of. */
export interface ReportedOptions {
  directory: string;
  /** The dataset, as CSV or as JSONL. */
  csv?: string;
  jsonl?: string;
  faults?: FaultScript;
  keys?: Record<string, unknown>;
  maxConcurrentJobs?: number;
}

/** Runs a dataset on the emulator, its jobs hours long by a clock that is only counted, and gives what its report is made of. */
export async function runForReport(options: ReportedOptions): Promise<ReportSource> {
  const { directory, csv, jsonl, faults = [], keys = {}, maxConcurrentJobs = 20 } = options;
  const file = join(directory, csv === undefined ? 'dataset.jsonl' : 'dataset.csv');
  await writeFile(file, csv ?? jsonl ?? '');
  await using world = await openEmulatedTarget({
    directory,
    quotas: { maxConcurrentJobs },
    pollSeconds: 300,
    emulator: {
      faults,
      durations: {
        validatingMs: 240_000,
        scheduledMs: 600_000,
        inProgressMs: 600_000,
        inProgressMsPerRecord: 600,
      },
    },
  });
  const { uri: s3_uri } = await stageDataset(file, { directory, bucket: LOCAL_BUCKET, hash: sha256 });
  const result = await runEmulated(
    { s3_uri, model_id: MODEL, run_id: 'reported', ...keys },
    { target: world.target, random: () => 0.5 },
  );
  if (result.kind !== 'finished') throw new Error(`The run has not finished: ${JSON.stringify(result)}`);
  return reportSourceOf(directory, String(keys.run_id ?? 'reported'));
}

/** What the report of a run in a directory is made of. */
async function reportSourceOf(directory: string, runId: string): Promise<ReportSource> {
  const store = createDirectoryStore(directory);
  const layout = runLayout(runUriOf(LOCAL_BUCKET, runId));
  return {
    layout,
    store,
    plan: await readJson(store, layout.plan, RunPlan),
    summary: await readJson(store, layout.summary, RunSummary),
    scratchDirectory: join(directory, '.scratch'),
  };
}

const SUBJECTS = [
  'the kettle',
  'this lamp',
  'the delivery',
  'their support',
  'the second pair',
  'the manual',
];
const OPINIONS = [
  'does what it says, and I would buy it again',
  'stopped working after three weeks, and nobody answers my letters',
  'is fine for the price. Nothing more, nothing less',
  'surprised me: lighter than it looks, and quiet',
];

/** A run that has a bit of everything: waves, records sent again, causes of failure, typed answers. */
export function exampleRun(directory: string): Promise<ReportSource> {
  const rows = Array.from({ length: 4_500 }, (_, index) => {
    const subject = SUBJECTS[index % SUBJECTS.length];
    const opinion = OPINIONS[(index * 7) % OPINIONS.length];
    return `${index + 1},"Review ${index + 1}: ${subject} ${opinion}.${' It came in time.'.repeat(index % 9)}"\n`;
  });
  return runForReport({
    directory,
    csv: `id,review\n${rows.join('')}`,
    maxConcurrentJobs: 8,
    keys: {
      run_id: 'customer-reviews',
      prompt_template: 'What does this customer think?\n\n{review}',
      output_schema: {
        sentiment: 'positive|negative|neutral',
        stars: 'integer 1..5',
        is_complaint: 'boolean',
      },
      record_id_column: 'id',
      max_records_per_job: 450,
      max_attempts: 2,
    },
    faults: [
      { when: { jobs: [3] }, fault: { kind: 'job-ended', status: 'PartiallyCompleted', fraction: 0.4 } },
      {
        fault: {
          kind: 'record-errors',
          fraction: 0.006,
          errorCode: 400,
          errorMessage: 'The provided request is not valid: the input is too long for the requested model.',
        },
      },
      {
        fault: {
          kind: 'record-errors',
          fraction: 0.02,
          errorCode: 503,
          errorMessage: 'The service is unavailable for now.',
          firstAttemptOnly: true,
        },
      },
    ],
  });
}
