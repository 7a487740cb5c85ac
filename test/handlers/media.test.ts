import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ERROR_CODE_COLUMN, ERROR_MESSAGE_COLUMN } from '../../src/rows/prepare/record-sql.ts';
import { useFunctionWorld } from '../support/function-world.ts';
import { jpegOf, pdfOf, pngOf } from '../support/images.ts';
import { query } from '../support/rows.ts';
import { withInputBucket } from '../support/step-policies.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** A word that names of files have. */
const SECRET = 'heliotrope';

const world = useFunctionWorld();

const PHOTO = pngOf(20, 30, 1);
const THEIRS = jpegOf(40, 50);

const INPUT = {
  s3_uri: 's3://data-bucket/datasets/set.csv',
  model_id: 'us.anthropic.claude-haiku-4-5-20251001-v1:0',
  prompt_template: 'Row {n}',
  image_columns: ['photo'],
  run_id: 'media',
};

/** A dataset in the stack's bucket whose column names these, with a photo beside it and one in another bucket. */
function putDataset(names: readonly string[]): void {
  world.s3.objects.set(
    'data-bucket/datasets/set.csv',
    Buffer.from(`n,photo\n${names.map((name, row) => `${row},${name}\n`).join('')}`),
  );
  world.s3.objects.set(`data-bucket/datasets/${SECRET}.png`, PHOTO);
  world.s3.objects.set('data-bucket/elsewhere/paper.pdf', pdfOf('a paper'));
  world.s3.objects.set(`their-bucket/${SECRET}.jpg`, THEIRS);
}

/** What Plan and Prepare make of it: the bodies that are sent, and what the rows say. */
async function prepared(input: Record<string, unknown> = INPUT) {
  await world.call('plan', input);
  await world.call('prepare', { run_uri: 's3://data-bucket/runs/media', slice: 0 });
  const object = (path: string) => world.s3.objects.get(`data-bucket/${path}`) ?? Buffer.alloc(0);
  const part = 'working/media/parts/p00001';
  const path = join(await temporaryDirectory(), 'rows.parquet');
  await writeFile(path, object(`${part}/rows.parquet`));
  return {
    records: object(`${part}/records.jsonl`).toString().trimEnd().split('\n'),
    rows: await query(
      `SELECT ${ERROR_CODE_COLUMN} AS error_code, ${ERROR_MESSAGE_COLUMN} AS error_message FROM read_parquet('${path}') ORDER BY file_row_number`,
    ),
    notes: JSON.parse(object('runs/media/plan.json').toString()).notes as string[],
  };
}

const NAMES = [
  `${SECRET}.png`,
  `s3://data-bucket/datasets/${SECRET}.png`,
  `s3://their-bucket/${SECRET}.jpg`,
  's3://their-bucket/none.jpg',
  'none.png',
  '../elsewhere/paper.pdf',
];

test('Plan and Prepare read images in S3 under their policies: what they may not read fails its row, and nothing else', async () => {
  putDataset(NAMES);
  const { records, rows, notes } = await prepared();
  expect(records).toHaveLength(2);
  for (const record of records) expect(record).toContain(PHOTO.toString('base64'));
  expect(rows.map(({ error_code }) => error_code)).toEqual([
    null,
    null,
    'ImageNotReadable',
    'ImageNotReadable',
    'ImageNotFound',
    'ImageNotAllowed',
  ]);
  // Who may not list a bucket is not told that an object is absent.
  for (const row of [2, 3])
    expect(rows[row]?.error_message).toContain(
      'Allow the S3 actions on "their-bucket", s3:ListBucket among them',
    );
  expect(notes.join('\n')).toMatch(/^4 of 6 rows that were looked at cannot be sent, and cost nothing: /m);
  expect(world.lines.join('')).not.toContain(SECRET);
});

test('a stack with the bucket among its inputBuckets reads them there, and is told what is absent', async () => {
  putDataset(NAMES);
  world.policies = withInputBucket(world.policies, 'their-bucket');
  const { records, rows } = await prepared();
  expect(records).toHaveLength(3);
  expect(records[2]).toContain(THEIRS.toString('base64'));
  expect(rows.slice(2, 4).map(({ error_code }) => error_code)).toEqual([null, 'ImageNotFound']);
});

test('documents are read as images are, below a files_folder in S3', async () => {
  putDataset(['paper.pdf', `s3://their-bucket/${SECRET}.jpg`]);
  const { image_columns: _, ...input } = INPUT;
  const { records, rows } = await prepared({
    ...input,
    document_columns: ['photo'],
    files_folder: 's3://data-bucket/elsewhere/',
  });
  expect(records).toHaveLength(1);
  expect(records[0]).toContain(pdfOf('a paper').toString('base64'));
  expect(rows.map(({ error_code }) => error_code)).toEqual([null, 'DocumentNotReadable']);
});

test('where none can be read the plan is refused, and the log has no name of a file', async () => {
  putDataset([`s3://their-bucket/${SECRET}.jpg`]);
  await expect(world.call('plan', INPUT)).rejects.toThrow(
    'The one row that was looked at cannot be sent: ImageNotReadable. Nothing was spent. To run it all the same, give force.',
  );
  expect([...world.s3.objects.keys()].filter((key) => key.includes('/runs/'))).toEqual([]);
  expect(world.lines.join('')).toContain('that was looked at cannot be sent');
  expect(world.lines.join('')).not.toContain(SECRET);
});
