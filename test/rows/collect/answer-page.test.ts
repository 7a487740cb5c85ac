import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type PageAnswer, readAnswerPage } from '../../../src/rows/collect/answer-page.ts';
import { openDuckDb, sqlText } from '../../../src/rows/duckdb/duckdb.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

test('answers come as they are, whatever they have in them, each at its place and with why it was cut off', async () => {
  const directory = await temporaryDirectory();
  await using db = await openDuckDb({ memoryMb: 256, threads: 1, scratchDirectory: directory });
  const text = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom(
      '',
      'null',
      'a',
      't',
      '\u0001',
      'a\u0001b\u0001',
      '{\n"a": 1}',
      '\ufeff{}',
      '\u2028',
      "it's",
    ),
  );
  const answer = fc.record({
    text: fc.option(text),
    stopReason: fc.constantFrom(null, 'end_turn', 'max_tokens', 'LENGTH'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(answer, { minLength: 1, maxLength: 12 }), fc.nat(11), async (answers, from) => {
      const path = join(directory, 'answers.parquet');
      const sql = (value: string | null) => `CAST(${value === null ? 'NULL' : sqlText(value)} AS VARCHAR)`;
      const values = answers.map(({ text: of, stopReason }) => `(${sql(of)}, ${sql(stopReason)})`);
      await db.run(
        `COPY (SELECT * FROM (VALUES ${values.join(', ')}) AS t(answer, stop_reason)) TO ${sqlText(path)} (FORMAT PARQUET)`,
      );
      const firstRow = Math.min(from, answers.length - 1);
      const expected = answers.slice(firstRow, firstRow + 5).map(({ text: of, stopReason }): PageAnswer => {
        if (of === null) return null;
        const isCut = stopReason === 'max_tokens' || stopReason === 'LENGTH';
        return { text: of, stopReason: isCut || of.includes('\u0001') ? stopReason : null };
      });
      expect(await readAnswerPage(db, { path, firstRow, rows: 5 })).toEqual(expected);
    }),
    { numRuns: 40 },
  );
});
