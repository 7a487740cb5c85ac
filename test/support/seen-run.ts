import type { WavePart } from '../../src/core/plan/part.ts';
import type { RunPlan } from '../../src/core/plan/run-plan.ts';
import type { RunEvent } from '../../src/core/run/run-event.ts';
import type { SeenRun } from '../../src/quarry/watch/watch-view.ts';
import { reduceEvents } from '../../src/runs/run-snapshot.ts';

/** When the runs of these tests were seen. */
export const SEEN_AT_MS = Date.UTC(2026, 0, 1, 12);
const MODEL_ID = 'us.anthropic.claude-haiku-4-5-20251001-v1:0';

/** What of a plan is shown. */
export function planOf(more: Record<string, unknown> = {}): RunPlan {
  return {
    run_id: 'jokes',
    input: {},
    variants: [{ model: { model_id: MODEL_ID, family: 'Claude', invocation_type: 'InvokeModel' } }],
    selected_rows: 3_000,
    duplicates: 0,
    parts: 3,
    max_concurrent_jobs: 2,
    estimate: { max_usd: 1.5 },
    notes: [],
    ...more,
  } as unknown as RunPlan;
}

/** A part of the first wave. */
export function wavePart(partId: string, more: Partial<WavePart> = {}): WavePart {
  return {
    run_uri: 's3://bucket/runs/jokes',
    part_id: partId,
    variant: 0,
    wave: 1,
    attempt: 1,
    mode: 'batch',
    records: 1_000,
    bytes: 1,
    sources: [],
    run_max_usd: null,
    ...more,
  };
}

/** Word of a part's job, which Bedrock took so many minutes ago. */
export function jobEvent(
  partId: string,
  { minutes = 10, ...more }: Partial<Extract<RunEvent, { kind: 'job' }>> & { minutes?: number } = {},
): RunEvent {
  return {
    kind: 'job',
    partId,
    jobArn: `arn:aws:bedrock:us-east-1:1:model-invocation-job/${partId}`,
    status: 'InProgress',
    submittedAt: new Date(SEEN_AT_MS - minutes * 60_000).toISOString(),
    totalRecords: 1_000,
    processedRecords: 0,
    ...more,
  };
}

/** Word of a part whose job took so many minutes. */
export function collectedEvent(
  partId: string,
  { minutes = 30, ...more }: Partial<Extract<RunEvent, { kind: 'collected' }>> & { minutes?: number } = {},
): RunEvent {
  return {
    kind: 'collected',
    partId,
    rows: { total: 1_000, succeeded: 1_000, failed: 0, not_sent: 0 },
    tokens: { input: 10_000, output: 20_000 },
    owed: 0,
    reasons: [],
    stopReasons: [],
    jobStatus: 'Completed',
    jobSubmittedAt: new Date(SEEN_AT_MS - (60 + minutes) * 60_000).toISOString(),
    jobEndedAt: new Date(SEEN_AT_MS - 60 * 60_000).toISOString(),
    ...more,
  };
}

/** A run of three parts that somebody is working on, after these events. */
export function seenRun(events: readonly RunEvent[], more: Partial<SeenRun> = {}): SeenRun {
  return {
    runId: 'jokes',
    atMs: SEEN_AT_MS,
    target: 'bedrock',
    condition: 'running',
    worker: 'process 7 on host since 2026-01-01T11:00:00.000Z',
    snapshot: reduceEvents([{ kind: 'planned', plan: planOf(), isPaid: true }, ...events]),
    summary: undefined,
    merging: undefined,
    heldByOthers: null,
    samples: [],
    answers: [],
    notices: [],
    ...more,
  };
}

/** The events of a run whose three parts are prepared and in their first wave. */
export const DISPATCHED: readonly RunEvent[] = [
  ...['p00001', 'p00002', 'p00003'].map(
    (partId): RunEvent => ({ kind: 'prepared', partId, rows: 1_000, records: 1_000 }),
  ),
  {
    kind: 'dispatched',
    wave: 1,
    parts: [wavePart('p00001'), wavePart('p00002'), wavePart('p00003')],
  },
];
