import { mkdir, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createRandom } from '../src/emulator/faults/seeded-random.ts';
import { openDuckDb, sqlText } from '../src/rows/duckdb/duckdb.ts';

/** How many rows, and which: the same seed makes the same file. */
export interface SimpleCotOptions {
  path: string;
  rows: number;
  seed: number;
  scratchDirectory: string;
}

const SENTENCES = 4096;
const ROW_GROUP_ROWS = 10_240;
/** What is awkward in CSV, in JSON, in templates, in regular expressions, and in Unicode. */
const AWKWARD = [
  '"quoted"',
  "it's",
  'two\nlines',
  'carriage\r\nreturn',
  'tab\there',
  'back\\slash',
  '{source}',
  '{{braces}}',
  '$& and $1',
  'naïve café',
  'Zürich — “quotes”',
  '日本語の文',
  'العربية',
  '🐉🐲 dragons',
  '\u2028line separator',
  '\ufeffmark',
  'bell\u0007',
  '</script>',
  '007',
  '1e5',
];
const SYLLABLES = [
  'ka',
  'lo',
  'mi',
  'ner',
  'tu',
  'sa',
  'ri',
  'pon',
  'de',
  'gal',
  'vi',
  'ru',
  'xe',
  'bo',
  'thy',
  'an',
];

/** A prompt of all that a row says. */
export const PROMPT_TEMPLATE = 'Judge this answer.\n\n{source}\n\nReasoning: {rationale}\n\nAnswer: {target}';

/**
 * Writes a Parquet file shaped like the dataset w601sxs/simpleCoT: `source` of about 500 to 1,500 characters,
 * `rationale`, `target` and `id`, all made up. Every row's text has its own number in it.
 */
export async function writeSimpleCot({
  path,
  rows,
  seed,
  scratchDirectory,
}: SimpleCotOptions): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await using db = await openDuckDb({ memoryMb: 1024, threads: 2, scratchDirectory });
  const pool = sentences(seed).map(sqlText).join(', ');
  await db.run(`CREATE TABLE pool AS SELECT [${pool}] AS sentences`);
  const pick = (salt: number, count: string) =>
    `array_to_string(list_transform(range(${count}), (i) -> sentences[1 + CAST(hash(n * 64 + i, ${seed + salt}) % ${SENTENCES} AS BIGINT)]), ' ')`;
  const temporary = `${path}.tmp`;
  await db.copy(`COPY (
    SELECT 'Question ' || n || ': ' || ${pick(1, `5 + CAST(hash(n, ${seed + 2}) % 11 AS BIGINT)`)} AS source,
      'Step ' || n || '. ' || ${pick(3, `3 + CAST(hash(n, ${seed + 4}) % 9 AS BIGINT)`)} AS rationale,
      'Answer ' || CAST(hash(n, ${seed + 5}) % 1000 AS BIGINT) AS target,
      n AS id
    FROM (SELECT range AS n FROM range(${rows})), pool
  ) TO ${sqlText(temporary)} (FORMAT PARQUET, COMPRESSION snappy, ROW_GROUP_SIZE ${ROW_GROUP_ROWS})`);
  await rename(temporary, path);
}

/** Sentences of 60 to 130 characters, one in four with something awkward in it. */
function sentences(seed: number): string[] {
  const random = createRandom(seed);
  const pickOf = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  return Array.from({ length: SENTENCES }, () => {
    const words: string[] = [];
    const length = 60 + random() * 70;
    while (words.join(' ').length < length) {
      words.push(Array.from({ length: 1 + Math.floor(random() * 3) }, () => pickOf(SYLLABLES)).join(''));
    }
    if (random() < 0.25) words.splice(Math.floor(random() * words.length), 0, pickOf(AWKWARD));
    return `${words.join(' ')}.`;
  });
}
