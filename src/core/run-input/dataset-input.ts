import { z } from 'zod';
import type { Concern, GivenFields, Refuse } from './concern.ts';

/** What a dataset's files may be said to be, whatever their names. */
export const GivenFormat = z.enum(['csv', 'tsv', 'jsonl', 'json', 'parquet']);
export type GivenFormat = z.infer<typeof GivenFormat>;

/** An encoding by one of the names that the WHATWG's standard has for it. https://encoding.spec.whatwg.org/#names-and-labels */
const Encoding = z.string().refine(isEncoding, 'is no known encoding; windows-1252 and utf-16le are two');

/** A character with a meaning of its own, which neither begins a common text nor quotes one as usual. */
const Mark = z
  .string()
  .refine((text) => /^[!#-/:-@[-`{-~]$/.test(text), 'give one ASCII punctuation mark, but not "');

const fields = {
  s3_uri: z.string().startsWith('s3://').meta({
    description:
      'Dataset: one object, a prefix of many of the same format, or a pattern like `s3://bucket/in/*.csv`. CSV, Parquet or JSONL, plain or `.gz`/`.zst`. Instead of `dataset_id`.',
  }),
  dataset_id: z
    .string()
    .regex(/^[\w.-]+(?:\/[\w.-]+)?$/, 'write it as on the Hub: owner/name')
    .meta({ description: 'Hugging Face dataset id. Instead of `s3_uri`.' }),
  split: z.string().min(1).meta({ description: 'Split of the Hugging Face dataset. Default `train`.' }),
  config_name: z.string().min(1).meta({ description: 'Configuration (subset) of the Hugging Face dataset.' }),
  revision: z.string().min(1).meta({
    description:
      'Branch, tag or commit of the Hugging Face dataset. Recorded as the commit that it points to. Default `main`.',
  }),
  format: GivenFormat.meta({
    description:
      'Format of the dataset’s files, whatever their names: `csv`, `tsv`, `jsonl`, `json` (lines, or one list) or `parquet`. Default: by their names.',
  }),
  csv_delimiter: z
    .string()
    .refine((text) => /^(?:tab|[\t\x20-\x7e])$/.test(text), 'give one ASCII character, such as ";", or tab')
    .meta({
      description:
        'Character between the fields of CSV, or `tab`. Default: comma, semicolon, tab or `|`, detected; the plan says which.',
    }),
  csv_quote: z
    .string()
    .refine((text) => /^(?:none|[\x21-\x7e])$/.test(text), 'give one ASCII character, such as ", or none')
    .meta({
      description:
        'Character that quotes CSV fields, or `none` if quotes have no meaning. Default: `"`, or `\'` if only that gives every record as many fields as the header; the plan says which.',
    }),
  csv_escape: Mark.meta({
    description:
      'Character that says of the quote, delimiter or newline after it that it is meant, as `\\` does where MySQL and Hive write: `"say \\"hi\\""`. Default: none; quotes within quotes are doubled.',
  }),
  csv_comment: Mark.meta({
    description:
      'Character, such as `#`: CSV lines that begin with it are passed over; the plan says how many. Default: none.',
  }),
  csv_skip: z.int().min(0).max(1_000_000).meta({
    description:
      'Lines at the beginning of each CSV file that are passed over, whatever is in them. Default 0.',
  }),
  csv_header: z.boolean().meta({
    description:
      'Whether CSV files begin with the names of their columns; if not, these are called `column0`, `column1`, … Default true.',
  }),
  csv_encoding: Encoding.meta({
    description:
      'Encoding of CSV, for example `windows-1252`. Default: UTF-8, or UTF-16 if there is a byte order mark.',
  }),
  csv_ragged: z.enum(['refuse', 'pad', 'skip']).meta({
    description:
      'What to do with CSV records that do not have as many fields as the header: `refuse` the file; `pad` them with empty texts, and the header with columns like `column3`; or `skip` them, counted in the ledger and kept in a file. Default `refuse`.',
  }),
  union_by_name: z.boolean().meta({
    description:
      'Take files whose columns differ: a column has the narrowest type with the values of all files, and nulls where a file lacks it; the plan says which. Default false: such a dataset is refused.',
  }),
  record_id_column: z.string().min(1).meta({
    description:
      'Column of unique, non-null ids to use as record ids. Default: the dataset’s own `record_id` if it has one, else `r` and the ten-digit row number.',
  }),
};

/** Which rows a run is of, and how its files are read. */
export const DATASET_INPUT = {
  title: 'Dataset',
  about: 'Which rows the run is of, and how their files are read.',
  fields,
  check(given: GivenFields<typeof fields>, refuse: Refuse) {
    if (given.s3_uri === undefined && given.dataset_id === undefined) {
      refuse('s3_uri', 'give s3_uri, or the dataset_id of a Hugging Face dataset');
    }
    if (given.s3_uri !== undefined && given.dataset_id !== undefined) {
      refuse('dataset_id', 'give s3_uri or dataset_id, not both');
    }
    for (const key of ['split', 'config_name', 'revision'] as const) {
      if (given[key] !== undefined && given.s3_uri !== undefined) {
        refuse(key, 'goes with dataset_id, not with s3_uri');
      }
    }
    if (given.csv_delimiter !== undefined && given.csv_delimiter === given.csv_quote) {
      refuse('csv_quote', 'give another character than csv_delimiter');
    }
    for (const [key, others] of [
      ['csv_escape', ['csv_delimiter', 'csv_quote']],
      ['csv_comment', ['csv_delimiter', 'csv_quote', 'csv_escape']],
    ] as const) {
      const same = others.find((other) => given[key] !== undefined && given[key] === given[other]);
      if (same !== undefined) refuse(key, `give another character than ${same}`);
    }
  },
} satisfies Concern;

function isEncoding(label: string): boolean {
  // Not a label there, though everybody knows it.
  if (/^latin-1$/i.test(label)) return true;
  try {
    new TextDecoder(label);
    return true;
  } catch {
    return false;
  }
}
