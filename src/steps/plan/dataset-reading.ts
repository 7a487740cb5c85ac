import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dataset } from '../../core/plan/part.ts';
import type { RunInput } from '../../core/run-input/run-input.ts';
import { type LineWriter, openLineWriter } from '../../rows/bytes/line-writer.ts';
import {
  type DescribeOptions,
  describeDataset,
  type LocalDatasetFile,
} from '../../rows/sources/describe-dataset.ts';

/** A dataset as it was read, and the local file of what was left out of it; undefined where nothing was. */
export interface DatasetReading {
  dataset: Dataset;
  skippedPath: string | undefined;
}

/** Reads a dataset as the run input says that its files are written; keeps the records that it leaves out. */
export async function readDataset(
  local: readonly LocalDatasetFile[],
  input: RunInput,
  scratchDirectory: string,
): Promise<DatasetReading> {
  const path = join(scratchDirectory, 'skipped.jsonl');
  let writer: LineWriter | undefined;
  try {
    const dataset = await describeDataset(local, {
      ...describeOptionsOf(input),
      onSkipped: async (uri, { line, fields, text }) => {
        if (writer === undefined) {
          await mkdir(scratchDirectory, { recursive: true });
          writer = openLineWriter(path);
        }
        await writer.write({ file: uri, line, fields, text });
      },
    });
    await writer?.end();
    return { dataset, skippedPath: writer === undefined ? undefined : path };
  } finally {
    await writer?.[Symbol.asyncDispose]();
  }
}

/** What the run input says of how the dataset's files are written. */
function describeOptionsOf({
  format,
  csv_delimiter: delimiter,
  csv_quote: quote,
  csv_escape: escapeMark,
  csv_comment: comment,
  csv_skip: skip,
  csv_header: hasHeader,
  csv_encoding: encoding,
  csv_ragged: ragged,
  union_by_name: unionByName,
}: RunInput): DescribeOptions {
  return {
    format,
    unionByName,
    csv: {
      delimiter: delimiter === 'tab' ? '\t' : delimiter,
      quote: quote === 'none' ? '' : quote,
      encoding: encoding === undefined ? undefined : encodingNamed(encoding),
      escape: escapeMark,
      comment,
      skip,
      hasHeader,
      ragged,
    },
  };
}

/** The name of an encoding that all its names stand for; but Latin-1 is what it says, not what web browsers take it for. */
function encodingNamed(label: string): string {
  return /^(?:iso[-_]?8859-?1|latin[-_]?1)$/i.test(label) ? 'iso-8859-1' : new TextDecoder(label).encoding;
}
