import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createVirtualClock } from '../src/core/clock.ts';
import { DEFAULT_BATCH_QUOTAS } from '../src/core/jobs/quotas.ts';
import { packFull } from '../src/core/plan/packing.ts';
import { scheduleJobs } from '../src/core/plan/schedule.ts';
import { runLayout, runUriOf } from '../src/runs/run-layout.ts';
import { createDirectoryStore, localPathOf } from '../src/store/directory-store.ts';
import { runLocally } from '../src/targets/embedded/run-locally.ts';
import { LOCAL_BUCKET, openLocalTarget } from '../src/targets/local/local-target.ts';
import { createPhaseMeter, type Phase } from './phase-meter.ts';
import { proveAnswers } from './prove-answers.ts';
import { PROMPT_TEMPLATE, writeSimpleCot } from './simple-cot.ts';

/** What the worker is asked for. */
export interface FullRunTask {
  what: 'generate' | 'run' | 'prove';
  directory: string;
  rows: number;
  jobsInFlight: number;
  hoursPer50000: number;
}

/** What a whole run came to. */
export interface FullRunResult {
  phases: Phase[];
  peakMb: number;
  datasetBytes: number;
  recordBytes: number;
  outputBytes: number;
  parts: number;
  succeeded: number;
  virtualHours: number;
  scheduledHours: number;
  fullPartsHours: number;
  fullParts: number;
}

const MODEL = 'us.amazon.nova-lite-v1:0';
const RUN_ID = 'full-run';
const SEED = 20_260_101;
const HOUR_MS = 3_600_000;

const task = JSON.parse(process.argv[2] ?? '{}') as FullRunTask;
const datasetUri = `s3://${LOCAL_BUCKET}/datasets/simple-cot-${task.rows}.parquet` as const;
const datasetPath = localPathOf(task.directory, datasetUri);
const scratchDirectory = join(task.directory, '.scratch');

switch (task.what) {
  case 'generate':
    await writeSimpleCot({ path: datasetPath, rows: task.rows, seed: SEED, scratchDirectory });
    report({});
    break;
  case 'run':
    report(await run());
    break;
  case 'prove':
    report(await prove());
    break;
}

function report(result: unknown): void {
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

async function run(): Promise<FullRunResult> {
  const clock = createVirtualClock();
  const msPerRecord = (task.hoursPer50000 * HOUR_MS) / 50_000;
  const instant = { submittedMs: 0, validatingMs: 0, scheduledMs: 0, inProgressMs: 0 };
  const meter = createPhaseMeter();
  meter.begin('Start');
  await using target = await openLocalTarget({
    directory: task.directory,
    clock,
    version: '0.0.0',
    quotas: { maxConcurrentJobs: task.jobsInFlight },
    durations: { ...instant, inProgressMsPerRecord: msPerRecord },
    pollSeconds: Math.max(1, Math.round((msPerRecord * 50_000) / 1000 / 100)),
  });
  let parts: number[] = [];
  let jobsStartedMs = 0;
  let jobsEndedMs = 0;
  const result = await runLocally(
    { s3_uri: datasetUri, model_id: MODEL, prompt_template: PROMPT_TEMPLATE, run_id: RUN_ID },
    {
      target,
      random: () => 0.5,
      onProgress: (progress) => {
        if (progress.kind === 'state_entered') {
          if (['Plan', 'Prepare', 'Run jobs', 'Summarize'].includes(progress.state))
            meter.begin(progress.state);
          if (progress.state === 'Run jobs') jobsStartedMs = clock.now();
        }
        if (progress.kind === 'dispatched') parts = progress.parts.map(({ records }) => records);
        if (progress.kind === 'collected') jobsEndedMs = clock.now();
      },
    },
  );
  const phases = meter.end();
  if (result.kind !== 'finished') throw new Error(JSON.stringify(result));
  const { summary } = result;
  const layout = runLayout(runUriOf(LOCAL_BUCKET, RUN_ID));
  const sizeOf = async (uri: string) =>
    (await stat(localPathOf(task.directory, uri as `s3://${string}`))).size;
  let [recordBytes, outputBytes] = [0, 0];
  for (const uri of summary.output_uris) {
    outputBytes += await sizeOf(uri);
    recordBytes += await sizeOf(layout.records(uri.replace(/.*\/|\.parquet$/g, '')));
  }
  const pace = { jobsInFlight: task.jobsInFlight, recordsPerHour: 50_000 / task.hoursPer50000 };
  const full = scheduleJobs(
    packFull(task.rows, DEFAULT_BATCH_QUOTAS.maxRecordsPerJob).map(({ rows }) => rows),
    pace,
  );
  return {
    phases: phases.filter(({ name }) => name !== 'Start'),
    peakMb: (process.resourceUsage().maxRSS * 1024) / 1e6,
    datasetBytes: (await stat(datasetPath)).size,
    recordBytes,
    outputBytes,
    parts: parts.length,
    succeeded: summary.rows.succeeded,
    virtualHours: (jobsEndedMs - jobsStartedMs) / HOUR_MS,
    scheduledHours: scheduleJobs(parts, pace).hours,
    fullPartsHours: full.hours,
    fullParts: full.jobs,
  };
}

async function prove() {
  const layout = runLayout(runUriOf(LOCAL_BUCKET, RUN_ID));
  const outputPaths: string[] = [];
  for await (const { uri } of createDirectoryStore(task.directory).list(`${layout.runUri}/output/`)) {
    outputPaths.push(localPathOf(task.directory, uri));
  }
  return proveAnswers({
    datasetPath,
    outputPaths,
    modelId: MODEL,
    template: PROMPT_TEMPLATE,
    scratchDirectory,
  });
}
