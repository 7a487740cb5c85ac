import type { RowCounts, TokenCounts } from '../../core/run/ledger.ts';
import type { RunStatus } from '../../core/run/summary.ts';
import type { ResultComparison } from '../../rows/compare/compare-results.ts';
import type { TellingPair } from '../../rows/compare/telling-rows.ts';
import type { ReportText } from '../run-report.ts';

/** What two runs over the same rows have in common and what not, as plain data. Counts are rows, times ISO 8601, shares from 0 to 1. */
export interface RunDiff extends Omit<ResultComparison, 'telling'> {
  format_version: 1;
  quarry_version: string;
  a: DiffedRun;
  b: DiffedRun;
  joined_by: JoinedBy;
  /** What has to be another for an answer to have changed: a typed column that both have, the text, or the vector. */
  compared_by: 'columns' | 'text' | 'vectors';
  /** True where no row and no answer is another: what nothing is told of. */
  is_empty: boolean;
  /** Keys of the run inputs that differ, and the model’s own; each value as text, null where a run has none. */
  settings: readonly ChangedSetting[];
  /** What whoever reads the numbers should know. */
  notes: readonly string[];
  /** Pairs of rows to look at, those that tell most first. */
  telling: readonly TellingRow[];
}

/** One of the two runs. */
export interface DiffedRun {
  run_id: string;
  model_id: string;
  status: RunStatus;
  ended_at: string;
  rows: RowCounts;
  tokens: TokenCounts;
  /** Dollars by the price table; null where no price is known. Nothing was paid where `billed` is false. */
  cost_usd: number | null;
  billed: boolean;
  simulated: boolean;
}

/**
 * How rows were joined: by their record ids, which a column gives, or their numbers in the same dataset (`column` null); or by what is
 * in these columns of the dataset.
 */
export type JoinedBy =
  | { kind: 'record_id'; column: string | null }
  | { kind: 'content'; columns: readonly string[] };

/** A key of the run input with what it is in each run. */
export interface ChangedSetting {
  key: string;
  a: string | null;
  b: string | null;
}

/** A pair of rows to look at. */
export interface TellingRow extends Pick<TellingPair, 'why' | 'distance' | 'values'> {
  a: TellingSide;
  b: TellingSide;
}

/** A row in one of the runs. */
export interface TellingSide {
  record_id: string;
  prompt: ReportText | null;
  answer: ReportText | null;
  error_code: string | null;
  error_message: ReportText | null;
}
