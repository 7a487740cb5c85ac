import type { JobStatus } from '../core/job.ts';
import type { RowCounts } from '../core/ledger.ts';
import type { WavePart } from '../core/part.ts';
import type { RunPlan } from '../core/run-plan.ts';

/** What a run tells of itself while it is under way. */
export type RunProgress =
  | { kind: 'state_entered'; state: string }
  | { kind: 'downloaded'; path: string; doneBytes: number; totalBytes: number }
  | { kind: 'uploaded'; path: string; doneBytes: number; totalBytes: number }
  /** `isPaid`: by a real account, not by a simulated model's. */
  | { kind: 'planned'; plan: RunPlan; isPaid: boolean }
  | { kind: 'prepared'; partId: string; rows: number; records: number }
  | { kind: 'dispatched'; wave: number; parts: WavePart[] }
  | { kind: 'job'; jobArn: string; status: JobStatus; processedRecords: number | undefined }
  | { kind: 'collected'; partId: string; rows: RowCounts };
