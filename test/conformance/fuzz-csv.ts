/**
 * Compares three readings of made-up CSV: ours, written anew; DuckDB's, of the files that Plan says it may read itself; and
 * that of Python's csv module. Usage: fuzz-csv.ts [--files N] [--seed N]
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { InvalidDatasetError } from '../../src/core/errors.ts';
import { readCsvStructure } from '../../src/rows/csv/csv-structure.ts';
import { type DuckDb, openDuckDb } from '../../src/rows/duckdb/duckdb.ts';
import { openRelations } from '../../src/rows/sources/source-relation.ts';

const { values } = parseArgs({
  options: { files: { type: 'string', default: '500' }, seed: { type: 'string', default: '20261127' } },
});

interface Case {
  /** As Python reads it, which knows of no comments, and of no lines before the first. */
  text: string;
  /** The same with those. */
  whole: string;
  delimiter: string;
  quote: string;
  escape: string;
  comment: string;
  skip: number;
  hasHeader: boolean;
}

type Random = (below: number) => number;

/** mulberry32: the same numbers for the same seed, anywhere. */
function randomOf(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** What readers of CSV stumble over. */
const TOKENS = [
  'a',
  '1',
  ' ',
  '"',
  '""',
  ',',
  ';',
  '\t',
  '|',
  "'",
  '\n',
  '\r\n',
  '\r',
  'é',
  '😀',
  '\ufeff',
  '\\',
  '',
];

/** A file of records that are mostly of one length, some as a writer makes them, some of anything. */
function makeCase(random: Random): Case {
  const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T;
  const delimiter = pick([',', ',', ',', ';', '\t', '|']);
  const quote = pick(['"', '"', '"', '"', "'", '']);
  const mark = pick(['', '', '\\', '^']);
  const newline = pick(['\n', '\n', '\r\n', '', '\r']);
  const end = newline === '\r' ? '\r' : '\n';
  const columns = 1 + random(4);
  const isWild = random(3) === 0;
  const noise = () => Array.from({ length: random(5) }, () => pick(TOKENS)).join('');
  const field = () => {
    const text = noise();
    if (isWild && random(4) === 0) return text;
    const isEscaped = mark !== '' && random(2) === 0;
    const isSimple =
      !/[\r\n]/.test(text) && !text.includes(delimiter) && !(quote !== '' && text.startsWith(quote));
    if (isEscaped)
      return escaped(text, { delimiter, quote, mark, isQuoted: quote !== '' && random(2) === 0 });
    if (isSimple && (quote === '' || random(4) > 0)) return text.replaceAll(mark || '\0', mark + mark);
    return quote === ''
      ? text.replaceAll(/[\r\n]/g, '').replaceAll(delimiter, '')
      : `${quote}${text.replaceAll(mark || '\0', mark + mark).replaceAll(quote, quote + quote)}${quote}`;
  };
  const lines = Array.from({ length: 1 + random(7) }, (_, row) => {
    if (row > 0 && random(12) === 0) return '';
    const width = isWild && random(10) === 0 ? columns + 1 : columns;
    return Array.from({ length: width }, (_, column) => (row === 0 ? `h${column}` : field())).join(delimiter);
  });
  const ends = lines.map(() => (newline === '' ? pick(['\n', '\r\n']) : newline));
  const text = lines.map((line, index) => line + ends[index]).join('');
  const comment = pick(['', '', '#']);
  const skip = pick([0, 0, 1, 3]);
  const before = Array.from({ length: skip }, () => `${noise().replaceAll(/[\r\n]/g, '')}${end}`).join('');
  // Where no text has a newline in it, lines are records.
  const hasLines = lines.every((line) => !/[\r\n]/.test(line) && (mark === '' || !line.endsWith(mark)));
  const commented = lines.map((line, index) => {
    const remark = comment !== '' && random(2) === 0 ? `#${noise().replaceAll(/[\r\n]/g, '')}${end}` : '';
    return `${hasLines ? remark : ''}${line}${ends[index]}`;
  });
  const isCut = random(4) === 0;
  const cut = (all: string) => (isCut ? all.replace(/(?:\r?\n|\r)$/, '') : all);
  return {
    text: cut(text),
    whole: before + cut(commented.join('')),
    ...{ delimiter, quote, escape: mark, comment, skip, hasHeader: random(4) > 0 },
  };
}

/** A field in which an escape stands before whatever needs it, in quotes or not. */
function escaped(
  text: string,
  { delimiter, quote, mark, isQuoted }: { delimiter: string; quote: string; mark: string; isQuoted: boolean },
): string {
  const body = [...text]
    .map((each) => {
      if (each === '\r' && !isQuoted) return '';
      return each === delimiter || each === quote || each === mark || each === '\n' ? mark + each : each;
    })
    .join('');
  return isQuoted ? quote + body + quote : body;
}

/** The rows below the header, or why there are none. */
type Reading = { rows: string[][] } | { refusal: string };

async function readOurs(
  db: DuckDb,
  path: string,
  { delimiter, quote, escape: mark, comment, skip, hasHeader }: Case,
): Promise<(Reading & { plain?: string[][] }) | undefined> {
  const file = { uri: 's3://fuzz/x.csv' as const, path };
  try {
    const structure = await readCsvStructure(file, {
      ...{ delimiter, quote, skip, hasHeader },
      ...(mark === '' ? {} : { escape: mark }),
      ...(comment === '' ? {} : { comment }),
    });
    if (structure === undefined) return { rows: [] };
    const { header, rows: count, layout, isPlain } = structure;
    const readAs = async (plain: boolean) => {
      const rows: string[][] = [];
      if (count === 0) return rows;
      for await (const relation of openRelations({
        format: 'csv',
        columns: header,
        reads: [
          {
            file: { ...file, layout: { csv: layout } },
            windows: [{ firstRow: 0, rows: count }],
            isPlain: plain,
          },
        ],
        scratchPrefix: `${path}-`,
      })) {
        await using read = relation;
        const found = await db.rows(
          `SELECT CAST(to_json(r) AS VARCHAR) AS json FROM (SELECT * FROM ${read.from}) AS r`,
        );
        rows.push(...found.map(({ json }) => Object.values(JSON.parse(String(json))) as string[]));
      }
      return rows;
    };
    const rows = await readAs(false);
    if (rows.length !== count)
      return { refusal: `the structure has ${count} rows, the reading ${rows.length}` };
    return { rows, ...(isPlain ? { plain: await readAs(true) } : {}) };
  } catch (error) {
    if (!(error instanceof InvalidDatasetError)) throw error;
    return { refusal: error.message };
  }
}

/** What Python reads, by our rules for blank lines. */
function ofPython(rows: string[][], hasHeader: boolean): string[][] {
  const all = rows.slice(
    Math.max(
      0,
      rows.findIndex((row) => row.length > 0),
    ),
  );
  const header = all[0] ?? [];
  const others = hasHeader ? all.slice(1) : all;
  if (header.length > 1) return others.filter((row) => row.length > 0);
  return others.map((row) => (row.length === 0 ? [''] : row));
}

const directory = await mkdtemp(join(tmpdir(), 'quarry-fuzz-'));
const random = randomOf(Number(values.seed));
const cases = Array.from({ length: Number(values.files) }, () => makeCase(random));
const [input, output, path] = ['cases.jsonl', 'answers.jsonl', 'x.csv'].map((name) =>
  join(directory, name),
) as [string, string, string];
await writeFile(input, cases.map((each) => `${JSON.stringify(each)}\n`).join(''));
execFileSync('python3', ['test/conformance/csv_oracle.py', input, output]);
const answers = (await readFile(output, 'utf8'))
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as string[][] | null);
const counts = { read: 0, plain: 0, refused: 0, failed: 0 };
await using db = await openDuckDb({ memoryMb: 512, threads: 1, scratchDirectory: directory });
for (const [index, each] of cases.entries()) {
  await writeFile(path, each.whole);
  const ours = await readOurs(db, path, each);
  const python = answers[index] ?? null;
  // A byte order mark at the beginning is none of a name's characters; the header is not compared.
  const expected = python === null ? null : ofPython(python, each.hasHeader);
  const fail = (what: string) => {
    counts.failed += 1;
    console.error(
      `FAILED, case ${index}: ${what}\n  ${JSON.stringify(each)}\n  ours ${JSON.stringify(ours)}\n  python ${JSON.stringify(expected)}`,
    );
  };
  if (ours === undefined) continue;
  // Of which a plan says that it has no rows: lines that end otherwise than those after them are passed over with these.
  const isAllPassed = 'rows' in ours && ours.rows.length === 0 && each.skip > 0 && each.whole.includes('\r');
  if ('rows' in ours && !isAllPassed) {
    counts.read += 1;
    if (JSON.stringify(ours.rows) !== JSON.stringify(expected)) fail('Python reads other rows');
    if (ours.plain === undefined) continue;
    counts.plain += 1;
    if (JSON.stringify(ours.plain) !== JSON.stringify(ours.rows)) fail('DuckDB reads other rows');
  } else if ('refusal' in ours) {
    counts.refused += 1;
    const width = python?.find((row) => row.length > 0)?.length;
    const isEven = expected?.every((row) => row.length === width);
    const isMeant =
      /carriage return|newline outside quotes|before a character that|with blank lines before it/.test(
        ours.refusal,
      );
    if (isEven && !isMeant) fail('Python reads a sound table');
  } else counts.refused += 1;
}
await rm(directory, { recursive: true, force: true });
const { read, plain, refused, failed } = counts;
console.log(
  `fuzz of CSV, seed ${values.seed}: ${read} files read alike, ${plain} of them by DuckDB too, ${refused} refused`,
);
console.log(`${read + refused - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
