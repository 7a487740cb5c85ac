import type { StopReasonCounts } from '../jobs/answer-flaws.ts';
import type { JobStatus } from '../jobs/job.ts';
import type { WavePart } from '../plan/part.ts';
import type { RunPlan } from '../plan/run-plan.ts';
import type { PartLedger, Reason, RowCounts, TokenCounts } from './ledger.ts';
import type { Waiting } from './waiting.ts';

/** Bytes of one file on their way; told again as they grow. */
export interface Transfer {
  path: string;
  doneBytes: number;
  totalBytes: number;
}

/** Records of a part that is run on demand. */
export interface OnDemandProgress {
  records: number;
  /** With an answer. */
  answered: number;
  /** With an error, by now or for good. */
  failed: number;
  /** Answers a second, since the part was begun; 0 before the first one. */
  perSecond: number;
}

/**
 * What a run tells of itself while it is under way, on every target. Plain data: as JSON it is the same. An event may come
 * again, as a step may run twice.
 */
export type RunEvent =
  /** The state machine entered a state of its definition, such as `Prepare`. */
  | { kind: 'state_entered'; state: string }
  /** A file of a Hugging Face dataset comes into the store. */
  | ({ kind: 'downloaded' } & Transfer)
  /** A local file goes into the bucket. */
  | ({ kind: 'uploaded' } & Transfer)
  /** `isPaid`: by an AWS account; neither a simulated model nor a server of the user's own costs anything. */
  | { kind: 'planned'; plan: RunPlan; isPaid: boolean }
  /** The records of a part are written. */
  | { kind: 'prepared'; partId: string; rows: number; records: number }
  /** The next wave is decided. */
  | { kind: 'dispatched'; wave: number; parts: WavePart[] }
  /** A part has to wait for its job or its answers: a quota, a throttle, a service that does not answer. */
  | ({ kind: 'waiting'; partId: string } & Waiting)
  /** What the place where the run runs has to say: a damaged file that it got over, a disk that it waits for. */
  | { kind: 'notice'; message: string }
  /** How far a part is whose records are asked for one by one. */
  | ({ kind: 'on_demand'; partId: string } & OnDemandProgress)
  /** A part has a job; counts are null until Bedrock tells them. */
  | {
      kind: 'job';
      partId: string;
      jobArn: string;
      status: JobStatus;
      /** When Bedrock took it, ISO 8601; null until it tells. */
      submittedAt: string | null;
      totalRecords: number | null;
      processedRecords: number | null;
    }
  /** A part's turn is over, and what became of its rows is in its ledger. */
  | {
      kind: 'collected';
      partId: string;
      rows: RowCounts;
      tokens: TokenCounts;
      /** Records that are to be sent again. */
      owed: number;
      /** Why rows have no answer so far. */
      reasons: Reason[];
      /** How answers ended, those included that are sent again. */
      stopReasons: StopReasonCounts[];
      /** How its job ended; null where it had none. */
      jobStatus: string | null;
      /** From when to when it had its job, ISO 8601; null where it had none, or where its ledger does not tell. */
      jobSubmittedAt: string | null;
      jobEndedAt: string | null;
    };

/** One kind of event. */
export type RunEventOf<K extends RunEvent['kind']> = Extract<RunEvent, { kind: K }>;

/** What a part's ledger tells. */
export function collectedEvent(ledger: PartLedger): RunEventOf<'collected'> {
  const { part_id: partId, rows, tokens, owed, reasons, job_status: jobStatus } = ledger;
  const { stop_reasons: stopReasons = [] } = ledger;
  const { job_submitted_at: jobSubmittedAt = null, job_ended_at: jobEndedAt = null } = ledger;
  const job = { jobStatus, jobSubmittedAt, jobEndedAt };
  return { kind: 'collected', partId, rows, tokens, owed: owed.records, reasons, stopReasons, ...job };
}
