import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type OutputShape, readModelOutput } from '../../../src/models/output-shape.ts';
import { answersOfOutputSql, answersOfRewrittenSql } from '../../../src/rows/collect/answers.ts';
import { rewriteOutput } from '../../../src/rows/collect/read-output.ts';
import { type DuckDb, openDuckDb } from '../../../src/rows/duckdb/duckdb.ts';
import { ANTHROPIC, CONVERSE, createDirectory, TITAN } from '../../support/rows.ts';

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
];

/** What `readModelOutput` says, as the data plane keeps it. */
function expectedOf(shape: OutputShape, modelOutput: unknown) {
  const read = readModelOutput(shape, modelOutput);
  const isTooLarge = read?.embedding?.some((value) => !Number.isFinite(Math.fround(value)));
  const answer = isTooLarge ? undefined : read;
  const count = (value: number | null | undefined) =>
    value !== null && value !== undefined && Number.isSafeInteger(value) && value >= 0 ? value + 0 : null;
  return {
    answer:
      answer === undefined ? null : shape.kind === 'text' ? answer.text : answer.embedding?.map(Math.fround),
    stop_reason: answer?.stopReason ?? null,
    input_tokens: count(answer?.inputTokens),
    output_tokens: count(answer?.outputTokens),
    error_code: answer === undefined ? 'UnexpectedModelOutput' : null,
  };
}

async function read(db: DuckDb, sql: string) {
  const rows = await db.rows(`SELECT CAST(to_json(a) AS VARCHAR) AS json FROM (${sql}) AS a`);
  return rows.map(({ json }) => {
    const { record_id: _id, error_message: _message, ...row } = JSON.parse(String(json));
    return row;
  });
}

test.each(shapes)('SQL and readModelOutput agree on every output: %s', async (_name, shape, outputs) => {
  const directory = await createDirectory();
  await using db = await openDuckDb({ memoryMb: 512, threads: 1, scratchDirectory: directory });
  const path = join(directory, 'one.jsonl.out');
  const rewritten = join(directory, 'rewritten.jsonl');
  let readBySql = 0;
  await fc.assert(
    fc.asyncProperty(outputs, async (modelOutput) => {
      await writeFile(path, `${JSON.stringify({ recordId: 'r', modelOutput })}\n`);
      // -0 is lost by JSON.stringify, so JavaScript must read what was written too.
      const written = JSON.parse(JSON.stringify({ modelOutput })).modelOutput;
      const expected = [expectedOf(shape, written)];
      const { longestBytes } = await rewriteOutput(path, rewritten, shape);
      expect(await read(db, answersOfRewrittenSql(rewritten, shape, longestBytes))).toEqual(expected);
      const bySql = await read(db, answersOfOutputSql(path, shape)).catch((error: Error) => error);
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
