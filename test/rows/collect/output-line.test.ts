import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { OutputShape } from '../../../src/models/output-shape.ts';
import { outputLinesSql, readOutputLine, rewrittenLinesSql } from '../../../src/rows/collect/output-line.ts';
import { rewriteOutput } from '../../../src/rows/collect/rewrite-output.ts';
import { type DuckDb, openDuckDb } from '../../../src/rows/duckdb/duckdb.ts';
import type { ResultColumns } from '../../../src/rows/results/result-columns.ts';
import {
  ANTHROPIC,
  CONVERSE,
  columnsOf,
  createDirectory,
  GPT_OSS,
  TITAN,
  TITAN_BITS,
} from '../../support/rows.ts';

const scalars = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
);
const anything = fc.oneof(
  { weight: 3, arbitrary: scalars },
  { weight: 1, arbitrary: fc.array(scalars, { maxLength: 3 }) },
);
const counts = fc.oneof({ weight: 4, arbitrary: fc.nat() }, { weight: 1, arbitrary: anything });
const often = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 6, arbitrary }, { weight: 1, arbitrary: fc.constantFrom(null, undefined) });
const blocks = fc.array(
  often(
    fc.record(
      {
        type: fc.oneof(fc.constantFrom('text', 'thinking'), anything),
        text: fc.oneof(
          { weight: 3, arbitrary: fc.string({ unit: 'grapheme' }) },
          { weight: 1, arbitrary: anything },
        ),
        image: fc.constant(null),
      },
      { requiredKeys: [] },
    ),
  ),
  { maxLength: 4 },
);

/** Thoughts that end or do not, none, two of them, or the signs of some within an answer. */
const thoughtful = fc
  .array(
    fc.oneof(fc.constantFrom('<reasoning>', '</reasoning>', '<reason'), fc.string({ unit: 'grapheme' })),
    { maxLength: 5 },
  )
  .map((pieces) => pieces.join(''));

/** DuckDB reads the elements of an embedding as numbers, and so takes texts of numbers and booleans for some. */
const isNotConverted = (value: unknown) =>
  typeof value !== 'boolean' && (typeof value !== 'string' || /[a-z]{2}/.test(value));

const shapes: [string, OutputShape, fc.Arbitrary<unknown>][] = [
  [
    'Converse',
    CONVERSE,
    often(
      fc.record(
        {
          output: often(
            fc.record({ message: often(fc.record({ content: often(blocks) }, { requiredKeys: [] })) }),
          ),
          stopReason: fc.oneof(fc.string(), anything),
          usage: often(fc.record({ inputTokens: counts, outputTokens: counts }, { requiredKeys: [] })),
          trace: fc.constant(null),
        },
        { requiredKeys: [] },
      ),
    ),
  ],
  [
    'Anthropic Messages',
    ANTHROPIC,
    often(
      fc.record(
        {
          content: often(blocks),
          stop_reason: fc.oneof(fc.string(), anything),
          usage: often(fc.record({ input_tokens: counts, output_tokens: counts }, { requiredKeys: [] })),
        },
        { requiredKeys: [] },
      ),
    ),
  ],
  [
    'chat completions with their thoughts before the answer',
    GPT_OSS,
    often(
      fc.record(
        {
          choices: often(
            fc.array(
              often(
                fc.record(
                  {
                    message: often(
                      fc.record({ content: fc.oneof(thoughtful, anything) }, { requiredKeys: [] }),
                    ),
                    finish_reason: fc.oneof(fc.string(), anything),
                  },
                  { requiredKeys: [] },
                ),
              ),
              { maxLength: 2 },
            ),
          ),
          usage: often(fc.record({ prompt_tokens: counts, completion_tokens: counts }, { requiredKeys: [] })),
        },
        { requiredKeys: [] },
      ),
    ),
  ],
  [
    'Titan embeddings',
    TITAN,
    often(
      fc.record(
        {
          embedding: often(
            fc.oneof(
              {
                weight: 3,
                arbitrary: fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { maxLength: 5 }),
              },
              { weight: 1, arbitrary: fc.array(anything.filter(isNotConverted), { maxLength: 3 }) },
              { weight: 1, arbitrary: scalars },
            ),
          ),
          inputTextTokenCount: counts,
        },
        { requiredKeys: [] },
      ),
    ),
  ],
  [
    'Titan embeddings of bits',
    TITAN_BITS,
    often(
      fc.record(
        {
          embeddingsByType: often(
            fc.record(
              {
                binary: often(
                  fc.oneof(
                    { weight: 3, arbitrary: fc.array(fc.constantFrom(0, 1), { maxLength: 5 }) },
                    {
                      weight: 1,
                      arbitrary: fc.array(fc.constantFrom(0, 1, -1, 2, 0.6, 1e-50, null), { maxLength: 3 }),
                    },
                    { weight: 1, arbitrary: fc.array(anything.filter(isNotConverted), { maxLength: 3 }) },
                    { weight: 1, arbitrary: scalars },
                  ),
                ),
              },
              { requiredKeys: [] },
            ),
          ),
          inputTextTokenCount: counts,
        },
        { requiredKeys: [] },
      ),
    ),
  ],
];

async function read(db: DuckDb, sql: string) {
  const rows = await db.rows(`SELECT CAST(to_json(a) AS VARCHAR) AS json FROM (${sql}) AS a`);
  return rows.map(({ json }) => {
    const { record_id: _id, error_message: _message, ...row } = JSON.parse(String(json));
    return row;
  });
}

/** What stands for an error in a line, none mostly. */
const errors = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(null, undefined) },
  {
    weight: 1,
    arbitrary: fc.record(
      { errorCode: fc.oneof(fc.integer(), fc.string(), fc.constant('429.0')), errorMessage: fc.string() },
      { requiredKeys: [] },
    ),
  },
  { weight: 1, arbitrary: fc.string() },
);

/** What `readOutputLine` says of a line, as the data plane keeps it. */
function expectedOf(line: string, columns: ResultColumns) {
  const read = readOutputLine(line, columns);
  // -0 is lost by JSON.stringify.
  const { record_id: _id, error_message: _message, ...said } = JSON.parse(JSON.stringify(read));
  const nulls = Object.fromEntries(columns.answers.map(({ key }) => [key, null]));
  return Array.isArray(said.answer)
    ? { ...nulls, ...said, answer: said.answer.map(Math.fround) }
    : { ...nulls, ...said };
}

/** An output, with the members of an error among its own now and then. */
const withError = (outputs: fc.Arbitrary<unknown>) =>
  fc
    .tuple(
      outputs,
      fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: errors }),
    )
    .map(([output, error]) =>
      typeof output === 'object' && typeof error === 'object' ? { ...output, ...error } : output,
    );

test.each(shapes)('SQL and JavaScript agree on every line: %s', async (_name, shape, outputs) => {
  const directory = await createDirectory();
  await using db = await openDuckDb({ memoryMb: 512, threads: 1, scratchDirectory: directory });
  const path = join(directory, 'one.jsonl.out');
  const rewritten = join(directory, 'rewritten.jsonl');
  const columns = columnsOf({ shape });
  let readBySql = 0;
  await fc.assert(
    fc.asyncProperty(withError(outputs), errors, async (modelOutput, error) => {
      const line = JSON.stringify({ recordId: 'r', modelOutput, error });
      await writeFile(path, `${line}\n`);
      const expected = [expectedOf(line, columns)];
      const { longestBytes } = await rewriteOutput(path, rewritten, columns);
      expect(await read(db, rewrittenLinesSql(rewritten, columns, longestBytes))).toEqual(expected);
      const bySql = await read(db, outputLinesSql(path, columns)).catch((refused: Error) => refused);
      // DuckDB may refuse a value where an object or a list belongs; Collect then reads the file in JavaScript.
      if (bySql instanceof Error) {
        expect(bySql.message).toMatch(/^(Invalid Input|Conversion) Error/);
      } else {
        readBySql += 1;
        expect(bySql).toEqual(expected);
      }
    }),
    { numRuns: 200 },
  );
  expect(readBySql).toBeGreaterThan(80);
});
