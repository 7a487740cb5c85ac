import type { WavePart } from '../core/plan/part.ts';
import type { PartLedger } from '../core/run/ledger.ts';
import type { ProgressPoint, Timeline, TimelineJob } from './run-report.ts';

/** A part's turn, and what it left. */
export interface ReportTurn {
  part: WavePart;
  ledger: PartLedger;
}

/** Most jobs that are drawn; the page stays small with any number of parts. */
const MAX_JOBS = 500;

/** When each job ran, in slots: a job takes the first slot that is free when Bedrock takes the job. */
export function timelineOf(turns: readonly ReportTurn[], slots: number): Timeline {
  const freeAt: number[] = [];
  const jobs = timed(turns)
    .sort((a, b) => a.submittedAt - b.submittedAt || (a.part.part_id < b.part.part_id ? -1 : 1))
    .map(({ part, ledger, submittedAt, endedAt }): TimelineJob => {
      const free = freeAt.findIndex((at) => at <= submittedAt);
      const slot = free === -1 ? freeAt.length : free;
      freeAt[slot] = endedAt;
      return {
        part_id: part.part_id,
        wave: part.wave,
        slot: slot + 1,
        is_repair: part.sources.length > 0,
        records: part.records,
        answered: ledger.rows.succeeded,
        status: ledger.job_status,
        message: ledger.job_message,
        submitted_at: new Date(submittedAt).toISOString(),
        ended_at: new Date(endedAt).toISOString(),
      };
    });
  return {
    slots,
    jobs: jobs.slice(0, MAX_JOBS),
    left_out: Math.max(0, jobs.length - MAX_JOBS),
    busy_share: busyShareOf(jobs, Math.max(slots, freeAt.length)),
  };
}

/** How many rows had an answer when each job had ended; of `succeeded` in the end, as some answers are asked for twice. */
export function progressOf(turns: readonly ReportTurn[], succeeded: number): ProgressPoint[] {
  const ended = timed(turns).sort((a, b) => a.endedAt - b.endedAt);
  if (ended.length === 0) return [];
  const start = Math.min(...ended.map(({ submittedAt }) => submittedAt));
  let answered = 0;
  const points = ended.map(({ ledger, endedAt }) => {
    answered = Math.min(succeeded, answered + ledger.rows.succeeded);
    return { at: new Date(endedAt).toISOString(), answered };
  });
  const step = Math.ceil(points.length / MAX_JOBS);
  // Each kept point is the last of those that it stands for.
  const kept = points.filter((_, index) => (points.length - 1 - index) % step === 0);
  return [{ at: new Date(start).toISOString(), answered: 0 }, ...kept];
}

/** Turns of jobs of which Bedrock has said when they began and ended. */
function timed(turns: readonly ReportTurn[]): (ReportTurn & { submittedAt: number; endedAt: number })[] {
  return turns.flatMap((turn) => {
    const submittedAt = Date.parse(turn.ledger.job_submitted_at ?? '');
    const endedAt = Date.parse(turn.ledger.job_ended_at ?? '');
    return endedAt >= submittedAt ? [{ ...turn, submittedAt, endedAt }] : [];
  });
}

function busyShareOf(jobs: readonly TimelineJob[], slots: number): number | null {
  let [first, last, busy] = [Number.POSITIVE_INFINITY, 0, 0];
  for (const { submitted_at, ended_at } of jobs) {
    const [start, end] = [Date.parse(submitted_at), Date.parse(ended_at)];
    first = Math.min(first, start);
    last = Math.max(last, end);
    busy += end - start;
  }
  const available = (last - first) * slots;
  return available > 0 ? busy / available : null;
}
