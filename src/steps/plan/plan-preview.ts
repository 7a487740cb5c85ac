import type { Dataset } from '../../core/plan/part.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import { choosesPrompts, recordLine, stringsOf } from '../../models/record-frame.ts';
import { lookAtRows, type SeenRow } from '../../rows/prepare/look-at-rows.ts';
import { skippedRecordsOf } from '../../rows/sources/dataset-notes.ts';
import type { LocalDatasetFile } from '../../rows/sources/describe-dataset.ts';
import type { ModelCall } from './model-call.ts';

/** A record as it would be sent. */
export interface PlannedRecord {
  /** The variant that it is of; absent where there is one alone. */
  variant?: string;
  /** Number of its row, from 0. */
  row: number;
  record_id: string;
  /** The rendered prompt, or the text to embed. */
  prompt: string;
  /** The line of the job's input, byte for byte, without its newline. */
  record: string;
}

/** Why rows would not be sent. */
export type UnsentCause =
  /** A column that the prompt needs is null. */
  | 'null_value'
  /** An earlier row sends the same request, whose answer they get. */
  | 'identical_request'
  /** A former run has their answer, with `reuse`. */
  | 'kept_answer'
  /** They lie beyond max_records or max_num_jobs. */
  | 'over_limit'
  /** Records of the dataset that are no rows. */
  | 'unreadable';

/** Rows that would not be sent for one cause. */
export interface UnsentRows {
  /** The variant in which they would not; absent where there is one alone, and of causes that all have. */
  variant?: string;
  cause: UnsentCause;
  rows: number;
  /** The columns that are null; of `null_value` alone. */
  columns?: string[];
  /** Numbers of the first of them, from 0; where they are known. */
  first_rows?: number[];
  /** How many rows were looked at, where that is not all that are run. */
  looked_at?: number;
}

/** What would be sent, and what not. */
export interface PlanPreview {
  /** The first ones. */
  records: PlannedRecord[];
  unsent: UnsentRows[];
}

/** Records that a plan shows. */
const SHOWN_RECORDS = 3;
/** First rows that are read for them where some are not sent, as they are identical. */
const FIRST_ROWS = 20;
/** A dataset of more bytes, or of another machine, is not read as a whole only to count nulls. */
const MAX_COUNTED_BYTES = 500_000_000;

/** What a preview needs of a plan. */
type PreviewedPlan = Pick<
  RunPlan,
  'dataset' | 'input' | 'selected_rows' | 'duplicates' | 'reuse' | 'record_id_column'
>;

/** The first records of a plan as Prepare would write them, and the rows that are not sent; of several variants, of each. */
export async function previewPlan(
  plan: PreviewedPlan,
  calls: readonly { name: string | undefined; call: Pick<ModelCall, 'frame' | 'prompt'> }[],
  files: readonly LocalDatasetFile[],
): Promise<PlanPreview> {
  const previews: PlanPreview[] = [];
  for (const { name, call } of calls) {
    const { records, unsent } = await previewCall(plan, call, files);
    if (name === undefined) previews.push({ records, unsent });
    else {
      previews.push({
        records: records.slice(0, 1).map((record) => ({ variant: name, ...record })),
        unsent: unsent.map((rows) => ({ variant: name, ...rows })),
      });
    }
  }
  return {
    records: previews.flatMap(({ records }) => records),
    unsent: [...previews.flatMap(({ unsent }) => unsent), ...otherCauses(plan)],
  };
}

async function previewCall(
  plan: PreviewedPlan,
  call: Pick<ModelCall, 'frame' | 'prompt'>,
  files: readonly LocalDatasetFile[],
): Promise<PlanPreview> {
  const { dataset, input, selected_rows: rows, record_id_column } = plan;
  if (choosesPrompts(call.frame)) return { records: [], unsent: [] };
  const recordIdColumn = (input.record_id_column as string | undefined) ?? record_id_column;
  const seen = await lookAtRows(files, dataset, {
    frame: call.frame,
    recordIdColumn,
    rows,
    first: FIRST_ROWS,
    sample: 0,
    isWhole: call.frame.media === undefined && bytesOf(dataset) <= MAX_COUNTED_BYTES && files.every(isHere),
  });
  const place = stringsOf(call.frame).indexOf(call.prompt);
  const bodies = new Set<string>();
  const isOwn = ({ strings }: SeenRow) => {
    const body = JSON.stringify(strings);
    if (bodies.has(body)) return false;
    bodies.add(body);
    return true;
  };
  const shown = (input.dedupe === true ? seen.first.filter(isOwn) : seen.first).slice(0, SHOWN_RECORDS);
  return {
    records: shown.map(({ row, record_id, strings }) => ({
      row,
      record_id,
      prompt: strings[Math.max(0, place)] ?? '',
      record: recordLine(call.frame, record_id, strings),
    })),
    unsent: seen.unsent.map(({ columns, rows: ofThem, first_rows }) => ({
      cause: 'null_value' as const,
      rows: ofThem,
      columns,
      first_rows,
      ...(seen.lookedAt < rows ? { looked_at: seen.lookedAt } : {}),
    })),
  };
}

function otherCauses({
  dataset,
  selected_rows,
  duplicates,
  reuse,
}: Pick<RunPlan, 'dataset' | 'selected_rows' | 'duplicates' | 'reuse'>): UnsentRows[] {
  const causes: UnsentRows[] = [
    { cause: 'identical_request', rows: duplicates },
    { cause: 'kept_answer', rows: reuse?.rows ?? 0 },
    { cause: 'over_limit', rows: dataset.rows - selected_rows, first_rows: [selected_rows] },
    { cause: 'unreadable', rows: skippedRecordsOf(dataset) },
  ];
  return causes.filter(({ rows }) => rows > 0);
}

/** True of a file of this machine, which costs nothing to read again. */
function isHere({ hold }: LocalDatasetFile): boolean {
  return hold === undefined;
}

function bytesOf({ files }: Dataset): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}
