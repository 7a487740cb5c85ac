import { z } from 'zod';
import type { S3Uri } from '../s3-uri.ts';

const Uri = z.custom<S3Uri>((value) => typeof value === 'string' && value.startsWith('s3://'));
const Count = z.int().min(0);

/** The formats a dataset may have. */
export const DatasetFormat = z.enum(['csv', 'parquet', 'jsonl']);
export type DatasetFormat = z.infer<typeof DatasetFormat>;

/** One column of the dataset, with the type DuckDB gives it. */
export const Column = z.object({ name: z.string(), type: z.string() });
export type Column = z.infer<typeof Column>;

/** What Plan found a CSV file to be like. */
export const CsvLayout = z.object({
  /** One ASCII character. */
  delimiter: z.string(),
  /** One ASCII character; empty where no field is quoted. */
  quote: z.string(),
  /** One ASCII character that says of the next one that it is meant; absent where none does. */
  escape: z.string().optional(),
  /** One ASCII character: lines that begin with it are no records. */
  comment: z.string().optional(),
  /** Lines that do. */
  comment_lines: Count.optional(),
  /** Lines that are passed over before the first record. */
  skip: Count.optional(),
  /** False where the first record is a row, and columns have no names. */
  header: z.literal(false).optional(),
  /** True where lines end in a carriage return alone, as old Macs had it. */
  returns: z.literal(true).optional(),
  /** True where a line like `sep=;` stands above the header. */
  sep_line: z.literal(true).optional(),
  /** What becomes of records that have not as many fields as the header; absent where all have. */
  ragged: z.enum(['pad', 'skip']).optional(),
  /** Columns, where the longest record has more fields than the header, which is padded. */
  columns: Count.optional(),
  /** Rows that have not as many fields as the header. */
  ragged_rows: Count.optional(),
  /** Records that are left out. */
  skipped_records: Count.optional(),
  /** Names given to columns that have none in the file. */
  unnamed: z.array(z.string()).optional(),
});
export type CsvLayout = z.infer<typeof CsvLayout>;

/** What Plan found a text file to be like, as far as its name does not say it. */
export const TextLayout = z.object({
  /** What its characters are encoded in; absent where that is UTF-8. */
  encoding: z.string().optional(),
  csv: CsvLayout.optional(),
  /** True for JSON that is one list of all records, not one record a line. */
  json_list: z.literal(true).optional(),
});
export type TextLayout = z.infer<typeof TextLayout>;

/** A column that a file has in another type than the dataset, or does not have. */
export const DriftedColumn = Column.extend({
  /** True where every value is null: the file lacks the column, or has nothing else in it. */
  nulls: z.literal(true).optional(),
});
export type DriftedColumn = z.infer<typeof DriftedColumn>;

/** One file of the dataset. */
export const DatasetFile = z.object({
  uri: Uri,
  bytes: Count,
  etag: z.string(),
  rows: Count,
  /**
   * Of text files: DuckDB gives every value as the file has it, or refuses the file. Of JSONL: every value is text, true, false,
   * null or a whole number from 0 that is spelled like one. Of CSV: no quote stands within a field that is not quoted, all lines
   * end alike, and none is blank.
   */
  plain: z.literal(true).optional(),
  layout: TextLayout.optional(),
  /** Columns that are read in the dataset's type, which is another one than the file's; only with `union_by_name`. */
  drift: z.array(DriftedColumn).optional(),
});
export type DatasetFile = z.infer<typeof DatasetFile>;

/** What Plan learnt of the dataset; the rows of its files, in order, are numbered from 0 through all of them. */
export const Dataset = z.object({
  format: DatasetFormat,
  files: z.array(DatasetFile),
  columns: z.array(Column),
  rows: Count,
  /** What a user should know of what becomes of its columns. */
  notes: z.array(z.string()).optional(),
});
export type Dataset = z.infer<typeof Dataset>;

/** Rows of one file, and the global number of the first of them. */
export const SliceRead = z.object({ uri: Uri, first_row_in_file: Count, rows: Count, first_row: Count });
export type SliceRead = z.infer<typeof SliceRead>;

/** Which of the plan's variants a part is of, by its place there; absent in files of earlier versions, whose plans have one. */
const VariantIndex = Count.default(0);

/** The rows planned for one part, and the variant that they are asked in. */
export const PlannedPart = z.object({
  part_id: z.string(),
  variant: VariantIndex,
  first_row: Count,
  rows: Count,
  /** Rows that are neither duplicates of others nor answered by a former run; absent where every row is sent. */
  records: Count.optional(),
});
export type PlannedPart = z.infer<typeof PlannedPart>;

/** What one Prepare reads, and the parts it leaves. */
export const Slice = z.object({
  slice: Count,
  reads: z.array(SliceRead),
  parts: z.array(PlannedPart),
});
export type Slice = z.infer<typeof Slice>;

Slice.register(z.globalRegistry, { title: 'a slice of a run' });

/**
 * An item of Prepare's Distributed Map: the number of a slice. Items are references, as Step Functions takes 256 KiB for one and
 * a slice may be of any number of files.
 */
export const SliceItem = z.object({ slice: Count });
export type SliceItem = z.infer<typeof SliceItem>;

/** `slices.json`: the items that name every slice of a run. */
export const SliceItems = z.array(SliceItem).meta({ title: 'the list of the slices of a run' });

/** A part as Prepare left it. */
export const PreparedPart = z.object({
  part_id: z.string(),
  variant: VariantIndex,
  first_row: Count,
  /** All rows, those that are not sent included. */
  rows: Count,
  /** Rows that became records. */
  records: Count,
  /** Size of the JSONL input file. */
  bytes: Count,
});
export type PreparedPart = z.infer<typeof PreparedPart>;
PreparedPart.register(z.globalRegistry, { title: 'the size of a part' });

/** `slices/NNNNN.json`: the parts that one Prepare left. */
export const PreparedParts = z.array(PreparedPart).meta({ title: 'the parts of a slice' });

/** How the records of a part are run: as a job, on demand below Bedrock's minimum, or not at all. */
export const InvocationMode = z.enum(['batch', 'on_demand', 'none']);
export type InvocationMode = z.infer<typeof InvocationMode>;

/** Owed records of another part: how many of them, from this one on, in the order of that part's result. */
export const PartSource = z.object({
  part_id: z.string(),
  owed_from: Count,
  owed_count: Count,
  /** Which client errors are owed too, since the run was taken up after they were mended; absent where none are. */
  forgiven: z.enum(['account', 'client']).optional(),
});
export type PartSource = z.infer<typeof PartSource>;

/** One part's turn in one wave. */
export const PartTurn = z.object({
  run_uri: Uri,
  part_id: z.string(),
  variant: VariantIndex,
  wave: z.int().min(1),
  /** How often its records have been tried, this time included. */
  attempt: z.int().min(1),
  mode: InvocationMode,
  records: Count,
  bytes: Count,
  /** How often a record may be sent at most, as it was when this part was decided; absent in waves of version 0.1.0. */
  max_attempts: Count.optional(),
  /**
   * How its records tell the schema of their answers, where that is another form than the plan's: the model refused that one.
   */
  schema_form: z.literal('prompt').optional(),
  /** Dollars that the run is estimated to have cost once this part and those before it have run; null without a price. */
  run_max_usd: z.number().nullable(),
});
export type PartTurn = z.infer<typeof PartTurn>;

/** A part's turn as its wave's file has it. */
export const WavePart = PartTurn.extend({
  /** Where a repair part's records come from; none for a part of the dataset. */
  sources: z.array(PartSource),
});
export type WavePart = z.infer<typeof WavePart>;

/** `waves/N/parts.json`: every part of a wave. */
export const WaveParts = z.array(WavePart).meta({ title: 'the parts of a wave' });

/** An item of Run jobs' Distributed Map: a part's turn, and whether it is a repair part; its sources are in the wave's file. */
export const WaveItem = PartTurn.extend({ repair: z.boolean() });
export type WaveItem = z.infer<typeof WaveItem>;

/** The item of a part of a wave. */
export function toWaveItem({ sources, ...turn }: WavePart): WaveItem {
  return { ...turn, repair: sources.length > 0 };
}

/** An item of Merge's Distributed Map: a part of the dataset whose rows are not final yet. */
export const MergeItem = z.object({
  run_uri: Uri,
  part_id: z.string(),
  variant: VariantIndex,
  /** Waves that were done when its merging was decided. */
  wave: Count,
});
export type MergeItem = z.infer<typeof MergeItem>;

/** What the parts that are merged go through. */
export const MergePlan = z.object({
  parts: z.array(
    z.object({
      part_id: z.string(),
      variant: VariantIndex,
      /** The repair parts that rows of it went through, the earliest wave first, and which of their rows those are among. */
      repairs: z.array(z.object({ part_id: z.string(), first_row: Count, rows: Count })),
      /** True where rows of it get the answer of a record elsewhere. */
      elsewhere: z.boolean(),
    }),
  ),
});
export type MergePlan = z.infer<typeof MergePlan>;
