import pLimit from 'p-limit';
import { addStopReasons, type StopReasonCounts } from '../core/answer-flaws.ts';
import { JobRecord } from '../core/job-record.ts';
import { addReasons, PartLedger, type Reason } from '../core/ledger.ts';
import { type PreparedPart, PreparedParts, type WavePart, WaveParts } from '../core/part.ts';
import type { Waiting } from '../core/waiting.ts';
import { workerOf } from '../runs/run-lock.ts';
import type { StoredRun } from '../runs/run-store.ts';
import { readWaiting } from '../steps/part/part-waiting.ts';
import { isCancelled } from '../steps/run/cancellation.ts';
import { readJsonIfPresent } from '../store/json-object.ts';
import type { ObjectStore } from '../store/object-store.ts';

/** What the files of a run that has not ended tell of it. */
export interface UnfinishedRun {
  run_id: string;
  status: 'running' | 'cancelling' | 'unfinished';
  /** The process at work on it; null where there is none. */
  process: { pid: number; host: string; since: string } | null;
  waves: number;
  rows: {
    total: number;
    prepared: number;
    succeeded: number;
    /** Collected, and without an answer so far. */
    unanswered: number;
    /** Of those, the ones that are owed another attempt. */
    owed: number;
  };
  parts: {
    planned: number;
    prepared: number;
    /** In a wave: not begun, with a job, or refused one. */
    waiting: number;
    submitted: number;
    refused: number;
    collected: number;
  };
  /** Why parts have to wait, each reason with the number of parts and since when the first of them does. */
  waiting: (Waiting & { parts: number })[];
  /** Jobs of collected parts by the status they ended with. */
  jobs: Record<string, number>;
  /** Why rows have no answer so far, the most frequent first. */
  reasons: Reason[];
  /** How answers ended so far, those that are sent again included. */
  stop_reasons: StopReasonCounts[];
}

/** Small objects read at once. */
const CONCURRENT_READS = 16;

/** Reads where a run stands. */
export async function readProgress({ plan, layout }: StoredRun, store: ObjectStore): Promise<UnfinishedRun> {
  const prepared: PreparedPart[] = [];
  const limit = pLimit(CONCURRENT_READS);
  const slices = Array.from({ length: plan.slices }, (_, slice) => layout.sliceParts(slice));
  for (const parts of await limit.map(slices, (uri) => readJsonIfPresent(store, uri, PreparedParts))) {
    prepared.push(...(parts ?? []));
  }
  const turns: { part: WavePart; job: JobRecord | undefined; ledger: PartLedger | undefined }[] = [];
  let waves = 0;
  for (;;) {
    const parts = await readJsonIfPresent(store, layout.waveParts(waves + 1), WaveParts);
    if (parts === undefined) break;
    waves += 1;
    const turnsOfWave = await limit.map(parts, async (part) => ({
      part,
      job: await readJsonIfPresent(store, layout.job(part.part_id), JobRecord),
      ledger: await readJsonIfPresent(store, layout.ledger(part.part_id), PartLedger),
    }));
    turns.push(...turnsOfWave);
  }
  const ledgers = turns.flatMap(({ ledger }) => ledger ?? []);
  const open = turns.filter(({ ledger }) => ledger === undefined);
  const submitted = open.filter(({ job }) => job !== undefined && job.job_arn !== null).length;
  const refused = open.filter(({ job }) => job !== undefined && job.refusal !== null).length;
  // A row that was sent again stands in the ledger of each of its attempts; the last one counts.
  const repacked = new Set(turns.flatMap(({ part }) => part.sources.map(({ part_id }) => part_id)));
  const latest = ledgers.filter(({ part_id }) => !repacked.has(part_id));
  const succeeded = ledgers.reduce((sum, { rows }) => sum + rows.succeeded, 0);
  const collectedRows = turns
    .filter(({ part }) => part.sources.length === 0)
    .reduce((sum, { ledger }) => sum + (ledger?.rows.total ?? 0), 0);
  const waits = await limit.map(open, ({ part }) => readWaiting(part.part_id, layout, store));
  const worker = await workerOf(layout, store);
  return {
    run_id: plan.run_id,
    status: (await isCancelled(layout, store))
      ? 'cancelling'
      : worker === undefined
        ? 'unfinished'
        : 'running',
    process:
      worker === undefined
        ? null
        : { pid: worker.process.pid, host: worker.process.host, since: worker.since },
    waves,
    rows: {
      total: plan.selected_rows,
      prepared: prepared.reduce((sum, part) => sum + part.rows, 0),
      succeeded,
      unanswered: collectedRows - succeeded,
      owed: latest.reduce((sum, { owed }) => sum + owed.records, 0),
    },
    parts: {
      planned: plan.parts,
      prepared: prepared.length,
      waiting: open.length - submitted - refused,
      submitted,
      refused,
      collected: ledgers.length,
    },
    waiting: addWaits(waits.filter((waiting) => waiting !== undefined)),
    jobs: Object.fromEntries(
      [...Map.groupBy(ledgers, ({ job_status }) => job_status)]
        .filter(([status]) => status !== null)
        .map(([status, group]) => [String(status), group.length]),
    ),
    reasons: addReasons(latest.flatMap(({ reasons }) => reasons)),
    stop_reasons: addStopReasons(ledgers.flatMap(({ stop_reasons = [] }) => stop_reasons)),
  };
}

/** One wait for each reason, the one of the most parts first. */
function addWaits(waits: readonly Waiting[]): UnfinishedRun['waiting'] {
  return [...Map.groupBy(waits, ({ error }) => error).values()]
    .map((group) => {
      const [first, ...others] = group.toSorted((a, b) => (a.since < b.since ? -1 : 1));
      return first === undefined ? undefined : { ...first, parts: 1 + others.length };
    })
    .filter((waiting) => waiting !== undefined)
    .sort((a, b) => b.parts - a.parts);
}
