import { z } from 'zod';
import type { S3Uri } from './s3-uri.ts';

const Uri = z.custom<S3Uri>((value) => typeof value === 'string' && value.startsWith('s3://'));
const Count = z.int().min(0);

/** The formats a dataset may have. */
export const DatasetFormat = z.enum(['csv', 'parquet', 'jsonl']);
export type DatasetFormat = z.infer<typeof DatasetFormat>;

/** One column of the dataset, with the type DuckDB gives it. */
export const Column = z.object({ name: z.string(), type: z.string() });
export type Column = z.infer<typeof Column>;

/** One file of the dataset. */
export const DatasetFile = z.object({
  uri: Uri,
  bytes: Count,
  etag: z.string(),
  rows: Count,
  /** Of JSONL: every value is text, true, false, null or a whole number from 0 that is spelled like one. */
  plain: z.literal(true).optional(),
});
export type DatasetFile = z.infer<typeof DatasetFile>;

/** What Plan learnt of the dataset; the rows of its files, in order, are numbered from 0 through all of them. */
export const Dataset = z.object({
  format: DatasetFormat,
  files: z.array(DatasetFile),
  columns: z.array(Column),
  rows: Count,
});
export type Dataset = z.infer<typeof Dataset>;

/** Rows of one file, and the global number of the first of them. */
export const SliceRead = z.object({ uri: Uri, first_row_in_file: Count, rows: Count, first_row: Count });
export type SliceRead = z.infer<typeof SliceRead>;

/** The rows planned for one part. */
export const PlannedPart = z.object({
  part_id: z.string(),
  first_row: Count,
  rows: Count,
  /** Rows that are no duplicates of others; absent where every row is sent. */
  records: Count.optional(),
});
export type PlannedPart = z.infer<typeof PlannedPart>;

/** What one Prepare reads, and the parts it leaves. An item of Prepare's Distributed Map. */
export const Slice = z.object({
  slice: Count,
  reads: z.array(SliceRead),
  parts: z.array(PlannedPart),
});
export type Slice = z.infer<typeof Slice>;

/** A part as Prepare left it. */
export const PreparedPart = z.object({
  part_id: z.string(),
  first_row: Count,
  /** All rows, those that are not sent included. */
  rows: Count,
  /** Rows that became records. */
  records: Count,
  /** Size of the JSONL input file. */
  bytes: Count,
});
export type PreparedPart = z.infer<typeof PreparedPart>;

/** How the records of a part are run: as a job, on demand below Bedrock's minimum, or not at all. */
export const InvocationMode = z.enum(['batch', 'on_demand', 'none']);
export type InvocationMode = z.infer<typeof InvocationMode>;

/** Owed records of another part: so many of them, from this one on, in the order of that part's result. */
export const PartSource = z.object({ part_id: z.string(), owed_from: Count, owed_count: Count });
export type PartSource = z.infer<typeof PartSource>;

/** An item of Run jobs' Distributed Map: one part's turn in one wave. */
export const WavePart = z.object({
  run_uri: Uri,
  part_id: z.string(),
  wave: z.int().min(1),
  /** How often its records have been tried, this time included. */
  attempt: z.int().min(1),
  mode: InvocationMode,
  records: Count,
  bytes: Count,
  /** Where a repair part's records come from; none for a part of the dataset. */
  sources: z.array(PartSource),
  /** Dollars that the run is estimated to have cost once this part and those before it have run; null without a price. */
  run_max_usd: z.number().nullable(),
});
export type WavePart = z.infer<typeof WavePart>;

/** An item of Merge's Distributed Map: a part of the dataset, and the repair parts that rows of it went through. */
export const MergeItem = z.object({
  run_uri: Uri,
  part_id: z.string(),
  /** Ids of the repair parts, the earliest wave first. */
  repairs: z.array(z.string()),
  /** Ids of all repair parts, for rows that get the answer of another row; absent where there are none. */
  all_repairs: z.array(z.string()).optional(),
});
export type MergeItem = z.infer<typeof MergeItem>;
