/** Parquet whose footer is sound and whose pages are not: refused with the file's name, in words of our own. */
import { readFile, writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readParquetFooter } from '../../../src/rows/parquet/parquet-footer.ts';
import { openRequestIndex } from '../../../src/rows/prepare/request-index.ts';
import { describeDataset } from '../../../src/rows/sources/describe-dataset.ts';
import { samplePromptBytes } from '../../../src/rows/sources/prompt-sample.ts';
import { checkRecordIds } from '../../../src/rows/sources/record-id-check.ts';
import { converseFrame, createDirectory, prepareAll, writeParquet } from '../../support/rows.ts';

const MESSAGE =
  's3://data/x.parquet is damaged, or written in a way that Quarry does not read: its values cannot be unpacked. Have it written or downloaded again.';

const damaged = async () => {
  const file = await writeParquet('x.parquet', `SELECT i AS n, 'text ' || i AS v FROM range(1000) r(i)`);
  const bytes = await readFile(file.path);
  await writeFile(file.path, bytes.fill(0xff, 4, 200));
  return file;
};

test('a plan of damaged pages is refused with the file’s name, wherever it reads them', async () => {
  const file = await damaged();
  const dataset = await describeDataset([file]);
  const frame = converseFrame('{n}');
  await expect(samplePromptBytes([file], dataset, frame)).rejects.toThrow(MESSAGE);
  await expect(checkRecordIds([file], dataset, { column: 'n', isNamed: true })).rejects.toThrow(MESSAGE);
  const index = openRequestIndex({
    files: [file],
    dataset,
    frame,
    asked: { answerer: 'bedrock', modelId: 'm', invocationType: 'InvokeModel' },
    recordIdColumn: undefined,
    rows: dataset.rows,
    scratchDirectory: await createDirectory(),
  });
  await expect(index).rejects.toThrow(MESSAGE);
  await expect(prepareAll([file], '{n}', { dataset })).rejects.toMatchObject({
    name: 'InvalidDatasetError',
    message: MESSAGE,
  });
});

test('whatever bytes a Parquet file has, its footer is read or refused at once, in words of our own', async () => {
  const file = await writeParquet(
    'x.parquet',
    `SELECT i AS n, {'a': [i], 'b': 'x'} AS s FROM range(10) r(i)`,
  );
  const sound = await readFile(file.path);
  const footerBytes = sound.readUInt32LE(sound.length - 8) + 8;
  const change = fc.record({
    at: fc.integer({ min: 1, max: footerBytes }),
    byte: fc.integer({ min: 0, max: 255 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
      const bytes = Buffer.from(sound);
      for (const { at, byte } of changes) bytes[bytes.length - at] = byte;
      await writeFile(file.path, bytes);
      const read = await readParquetFooter(file.path).catch((error: Error) => error);
      if (!(read instanceof Error)) return;
      expect(read.message).toMatch(/^is (?:damaged|encrypted|not a Parquet file)/);
    }),
    { numRuns: 300 },
  );
});
