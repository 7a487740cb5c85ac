import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { simulatedAnswer } from '../../src/emulator/models/simulated-model.ts';
import { openDuckDb, sqlText } from '../../src/rows/duckdb/duckdb.ts';
import { LOCAL_BUCKET } from '../../src/targets/local/local-target.ts';
import { MODEL } from '../support/emulated-run.ts';
import type { Scenario } from './scenario.ts';

/** A row as it is in the dataset. */
export interface DatasetRow {
  n: number;
  id: string;
  /** What the prompt is made of; a row without it is not sent. */
  name: string | null;
}

/** Rows whose prompts differ, or not, in length too. */
export function rowsOf({ dataset: { rows, format, distinct, nullEvery } }: Scenario): DatasetRow[] {
  return Array.from({ length: rows }, (_, n) => {
    const number = distinct === undefined ? n : (n * 7) % distinct;
    // CSV has no nulls.
    const isNull = nullEvery !== undefined && format !== 'csv' && n % nullEvery === nullEvery - 1;
    return { n, id: `id-${n}`, name: isNull ? null : `row ${number}${' and more'.repeat(number % 3)}` };
  });
}

/** Writes the dataset's files into the store below `directory`; their URI. */
export async function writeDataset(scenario: Scenario, directory: string): Promise<string> {
  const { format, files } = scenario.dataset;
  const folder = join(directory, LOCAL_BUCKET, 'datasets', 'chaos');
  await mkdir(folder, { recursive: true });
  const rows = rowsOf(scenario);
  const perFile = Math.ceil(rows.length / files);
  for (let start = 0, file = 0; start < rows.length; start += perFile, file += 1) {
    const path = join(folder, `${file}.${format}`);
    await writeRows(rows.slice(start, start + perFile), path, format);
  }
  return `s3://${LOCAL_BUCKET}/datasets/chaos${rows.length <= perFile ? `/0.${format}` : ''}`;
}

async function writeRows(
  rows: readonly DatasetRow[],
  path: string,
  format: Scenario['dataset']['format'],
): Promise<void> {
  switch (format) {
    case 'csv':
      return writeFile(path, `n,id,name\n${rows.map(({ n, id, name }) => `${n},${id},${name}\n`).join('')}`);
    case 'jsonl':
      return writeFile(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    case 'parquet': {
      await using db = await openDuckDb({ memoryMb: 64, threads: 1, scratchDirectory: join(path, '..') });
      const values = rows.map(
        ({ n, id, name }) =>
          `(${n}, ${sqlText(id)}, CAST(${name === null ? 'NULL' : sqlText(name)} AS VARCHAR))`,
      );
      await db.copy(
        `COPY (SELECT * FROM (VALUES ${values.join(', ')}) AS rows(n, id, name)) TO ${sqlText(path)} (FORMAT PARQUET)`,
      );
    }
  }
}

/** The answer that a row must have, as far as `max_tokens` lets it go, and whether it is cut off there. */
export function answerOf(name: string, { keys }: Scenario): { text: string; isCut: boolean } {
  const whole = simulatedAnswer(MODEL, `Say ${name}`);
  const most = 4 * (keys.inference_parameters?.max_tokens ?? 1024);
  return { text: whole.slice(0, most), isCut: whole.length > most };
}
