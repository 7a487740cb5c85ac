import type { CostEstimate } from '../core/plan/run-plan.ts';
import type { RunSummary } from '../core/run/summary.ts';
import type { RowClass } from '../rows/results/scan-results.ts';

/** Everything that the report of a run shows, as plain data: as JSON it is the same. Times are ISO 8601, sizes are tokens. */
export interface RunReport {
  format_version: 1;
  /** The run's summary; of lists that can be long their beginning. */
  summary: RunSummary;
  /** Files of the output, of which the summary here may name fewer. */
  output_files: number;
  estimate: CostEstimate;
  timeline: Timeline;
  /** Answered rows by the end of each job, in time; empty where nothing is known of when jobs ended. */
  progress: readonly ProgressPoint[];
  /** Rows that sizes and columns are counted of: all, or the first ones of a very large run. */
  scanned_rows: number;
  input_tokens: Sizes;
  output_tokens: Sizes;
  /** The typed columns of answers; none without `output_schema`. */
  columns: readonly ColumnReport[];
  /** Rows to look at, in the order of the dataset. */
  rows: readonly ReportRow[];
}

/** When the jobs ran, and how many could have run. */
export interface Timeline {
  /** Jobs that may run at once. */
  slots: number;
  /** In the order in which Bedrock took them; of very many the first ones. */
  jobs: readonly TimelineJob[];
  /** Jobs that are not in the list. */
  left_out: number;
  /** Share of the slots' time, from the first job's beginning to the last one's end, in which a job ran; null without jobs. */
  busy_share: number | null;
}

/** A job on the timeline. */
export interface TimelineJob {
  part_id: string;
  wave: number;
  /** Slot that it is drawn in, from 1. */
  slot: number;
  /** True where it sent records again. */
  is_repair: boolean;
  records: number;
  answered: number;
  status: string | null;
  message: string | null;
  submitted_at: string;
  ended_at: string;
}

/** Rows with an answer at a time. */
export interface ProgressPoint {
  at: string;
  answered: number;
}

/** How large values are. */
export interface Sizes {
  rows: number;
  mean: number;
  min: number;
  max: number;
  /** Values from `from` to below `to`; values of 0 are in the one that ends at 1. */
  buckets: readonly { from: number; to: number; rows: number }[];
}

/** What is in a typed column. */
export interface ColumnReport {
  name: string;
  type: string;
  nulls: number;
  /** The most frequent first. */
  values: readonly { value: string; rows: number }[];
  /** Rows with values that are not in the list. */
  others: number;
}

/** A text of the dataset or of a model: some of it, and how many characters are left out. */
export interface ReportText {
  text: string;
  cut: number;
}

/** A row to look at. */
export interface ReportRow {
  /** The variant that it was asked in; absent where there is one alone. */
  variant?: string;
  record_id: string;
  kind: RowClass;
  /** True where it is one of the longest answers. */
  is_longest: boolean;
  prompt: ReportText | null;
  answer: ReportText | null;
  error_code: string | null;
  error_message: ReportText | null;
  stop_reason: string | null;
  input_tokens: number | null;
  output_tokens: number | null;
  attempts: number;
}
