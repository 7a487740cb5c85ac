import { createHash } from 'node:crypto';
import { recordIdOf } from '../src/core/record-id.ts';
import { simulatedAnswer } from '../src/emulator/models/simulated-model.ts';
import { parsePromptTemplate } from '../src/prompts/prompt-template.ts';
import { openDuckDb, sqlText } from '../src/rows/duckdb/duckdb.ts';

/** A run's dataset and output files. */
export interface ProofRequest {
  datasetPath: string;
  outputPaths: readonly string[];
  modelId: string;
  /** The run's template, over columns of text. */
  template: string;
  scratchDirectory: string;
}

/** What was compared. */
export interface AnswerProof {
  rows: number;
  /** SHA-256 over every record id and answer: as the dataset says they must be, and as the output has them. */
  expected: string;
  actual: string;
}

const WINDOW_ROWS = 10_240;

/**
 * Hashes record ids and answers twice: once worked out from the dataset alone, once read from the output files. Equal
 * hashes mean that every row has its own answer, in its own place, and that there is no other row.
 */
export async function proveAnswers(request: ProofRequest): Promise<AnswerProof> {
  const { datasetPath, outputPaths, modelId, template } = request;
  await using db = await openDuckDb({
    memoryMb: 512,
    threads: 2,
    scratchDirectory: request.scratchDirectory,
  });
  const windows = async function* (path: string, columns: string) {
    const file = `read_parquet(${sqlText(path)}, hive_partitioning = false)`;
    const { rows } = await db.row(
      `SELECT CAST(num_rows AS INTEGER) AS "rows" FROM parquet_file_metadata(${sqlText(path)})`,
    );
    for (let first = 0; first < Number(rows); first += WINDOW_ROWS) {
      const found = await db.rows(
        `SELECT ${columns} FROM ${file} WHERE file_row_number >= ${first} AND file_row_number < ${first + WINDOW_ROWS} ORDER BY file_row_number`,
      );
      yield* found;
    }
  };
  const expected = createHash('sha256');
  let rows = 0;
  const pieces = parsePromptTemplate(template);
  for await (const row of windows(datasetPath, '*')) {
    const prompt = pieces
      .map((piece) => (piece.kind === 'literal' ? piece.text : String(row[piece.column])))
      .join('');
    expected.update(`${recordIdOf(rows)}\t${simulatedAnswer(modelId, prompt)}\n`);
    rows += 1;
  }
  const actual = createHash('sha256');
  for (const path of outputPaths) {
    for await (const { record_id, response } of windows(path, 'record_id, response')) {
      actual.update(`${record_id}\t${response}\n`);
    }
  }
  return { rows, expected: expected.digest('hex'), actual: actual.digest('hex') };
}
