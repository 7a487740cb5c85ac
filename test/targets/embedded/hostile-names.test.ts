/** Names that SQL, Parquet or the way through DuckDB's binding could take for something else. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { expect, test, vi } from 'vitest';
import { simulatedAnswer } from '../../../src/emulator/models/simulated-model.ts';
import { guardedSql, openDuckDb, sqlText, unguarded } from '../../../src/rows/duckdb/duckdb.ts';
import { localPathOf } from '../../../src/store/directory-store.ts';
import { LOCAL_BUCKET, sha256 } from '../../../src/targets/local/local-target.ts';
import { stageDataset } from '../../../src/targets/local/stage-dataset.ts';
import { MODEL, openEmulatedTarget, runEmulated } from '../../support/emulated-run.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

vi.setConfig({ testTimeout: 240_000 });

const HOSTILE = [
  '\ufeff',
  '\ufeffid',
  '\ufeff\ufeffid',
  'id',
  ' ',
  ' id ',
  'a"b',
  "a'b",
  '"',
  "'); DROP TABLE duplicates; --",
  'a\nb',
  'a\r\nb',
  'a\tb',
  'a, b',
  'a.b',
  'list.element',
  '{name}',
  '$&',
  '\\',
  '\u0001',
  '\u2028',
  '😀',
  'e\u0301',
  'é',
  'É',
  'ß',
  'İ',
  'x'.repeat(10_000),
  '😀'.repeat(2_500),
  '0',
  '10',
  '2',
  '__proto__',
  'constructor',
  'select',
  'from',
  'year=2024',
  'rowid',
  'filename',
  'file_index',
  'column0',
  // To DuckDB the same as others, and what it would call them.
  'NAME',
  'ID',
  'Id',
  'id_1',
  'SELECT_1_1',
  'Select',
  'A',
  'a',
];

/** Every word of the SQL that reads, joins and writes rows: one of ours may be a column of somebody's. */
async function wordsOfOurSql(): Promise<string[]> {
  const words = new Set<string>();
  for (const name of await readdir('src/rows', { recursive: true })) {
    if (!name.endsWith('.ts')) continue;
    const text = await readFile(join('src/rows', name), 'utf8');
    for (const [template] of text.matchAll(/`[^`]*`/g)) {
      if (!/\b(SELECT|FROM|CASE|CAST)\b/.test(template)) continue;
      for (const [word] of template.matchAll(/(?<![$.\w])[a-z][a-z_0-9]*\b/g)) words.add(word);
    }
  }
  return [...words].sort();
}

/** Columns that a run adds itself, which no dataset may have. */
const ADDED = [
  'response',
  'record_id',
  'error_code',
  'error_message',
  'stop_reason',
  'input_tokens',
  'output_tokens',
  'attempts',
  'file_row_number',
];
const ROWS = 330;
const ourWords = await wordsOfOurSql();
const names = [...new Set(['name', ...HOSTILE, ...ourWords.filter((word) => !ADDED.includes(word))])];
/** Columns of the prompt, which is the same for some rows. */
const ASKED = new Set([0, names.indexOf('\ufeffid')]);
/** Begins with a byte order mark, which is not one here. */
const cellOf = (row: number, column: number) => `\ufeff${ASKED.has(column) ? row % 300 : row},${column}`;

const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
const rowsOf = <T>(make: (row: number) => T) => Array.from({ length: ROWS }, (_, row) => make(row));
const FILES: Record<string, (path: string) => Promise<void>> = {
  // With a mark of its own, so that the first name's is not taken for one.
  'rows.csv': (path) =>
    writeFile(
      path,
      `\ufeff${[names, ...rowsOf((row) => names.map((_, column) => cellOf(row, column)))].map((fields) => `${fields.map(quoted).join(',')}\n`).join('')}`,
    ),
  'rows.jsonl': (path) =>
    writeFile(
      path,
      rowsOf(
        (row) =>
          `{${names.map((name, column) => `${JSON.stringify(name)}:${JSON.stringify(cellOf(row, column))}`).join(',')}}\n`,
      ).join(''),
    ),
  'rows.parquet': (path) =>
    writeFile(
      path,
      new Uint8Array(
        parquetWriteBuffer({
          columnData: names.map((name, column) => ({ name, data: rowsOf((row) => cellOf(row, column)) })),
        }),
      ),
    ),
};

test('the words of our SQL are found', () => {
  for (const word of [
    'place',
    'answer',
    'input',
    'later',
    'wave',
    'id',
    'rows',
    'line',
    'matches',
    'duplicates',
  ]) {
    expect(ourWords).toContain(word);
  }
});

test.each(Object.keys(FILES))(
  '%s with columns of hostile names, and of our SQL’s own words, comes back with all of them',
  async (fileName) => {
    const directory = await temporaryDirectory();
    const path = join(directory, fileName);
    await FILES[fileName]?.(path);
    await using emulated = await openEmulatedTarget({
      directory,
      emulator: {
        faults: [{ fault: { kind: 'record-errors', fraction: 0.3, errorCode: 503, firstAttemptOnly: true } }],
      },
    });
    const { uri: s3_uri } = await stageDataset(path, { directory, bucket: LOCAL_BUCKET, hash: sha256 });
    const result = await runEmulated(
      {
        s3_uri,
        model_id: MODEL,
        prompt_template: 'Say {name}: {\ufeffid}',
        record_id_column: 'id',
        max_records_per_job: 110,
        dedupe: true,
      },
      { target: emulated.target, random: () => 0.5 },
    );
    expect(result).toMatchObject({
      kind: 'finished',
      summary: { status: 'succeeded', rows: { total: ROWS, succeeded: ROWS } },
    });
    if (result.kind !== 'finished') return;
    expect(result.summary.waves).toBeGreaterThan(1);
    expect(result.summary.duplicates).toBe(30);
    const files = `[${result.summary.output_uris.map((uri) => sqlText(localPathOf(directory, uri as `s3://${string}`))).join(', ')}]`;
    await using db = await openDuckDb({ memoryMb: 512, threads: 1, scratchDirectory: directory });
    const [first = ''] = result.summary.output_uris;
    const schema = await db.rows(
      `SELECT ${guardedSql('name')} AS guarded FROM parquet_schema(${sqlText(localPathOf(directory, first as `s3://${string}`))}) OFFSET 1`,
    );
    expect(schema.map(({ guarded }) => unguarded(guarded)).slice(0, names.length)).toEqual(names);
    // By place, as DuckDB cannot tell all names apart.
    const list = names.map((_, column) => `c${column}`).join(', ');
    const found = await db.rows(
      `SELECT CAST(to_json([${list}]) AS VARCHAR) AS "values", response FROM (SELECT *, row_number() OVER () AS __n FROM read_parquet(${files}) AS read(${list})) ORDER BY __n`,
    );
    expect(found).toHaveLength(ROWS);
    for (const [row, { values, response }] of found.entries()) {
      const expected = names.map((_, column) => cellOf(row, column));
      expect(values).toBe(JSON.stringify(expected));
      expect(response).toBe(
        simulatedAnswer(MODEL, `Say ${cellOf(row, 0)}: ${cellOf(row, names.indexOf('\ufeffid'))}`),
      );
    }
  },
);
