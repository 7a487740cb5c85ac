import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createVirtualClock } from '../../../src/core/clock.ts';
import { readResults } from '../../../src/rows/results/read-results.ts';
import { runLayout, runUriOf } from '../../../src/runs/run-layout.ts';
import { verifyRun } from '../../../src/steps/run/verify-run.ts';
import { runLocally } from '../../../src/targets/embedded/run-locally.ts';
import { BUCKET, openBedrockWorld, openWorldTarget } from '../../support/bedrock-world.ts';
import { jpegOf, pdfOf, pngOf } from '../../support/images.ts';

const DATASET = `s3://${BUCKET}/datasets/set.csv` as const;
/** What the rows name, one after the other; enough rows for a job. */
const NAMES = ['here.png', 's3://my-bucket/photos/there.jpg', 's3://their-bucket/theirs.png', 'none.png'];
const ROWS = 240;

test.each([
  ['images', { image_columns: ['file'] }, 'Image', pngOf(20, 30, 1), jpegOf(40, 50)],
  ['documents', { document_columns: ['file'] }, 'Document', pdfOf('one'), pdfOf('two')],
])(
  '%s of this machine and of S3 go to Bedrock, and what may not be read fails its row alone',
  async (_, keys, kind, here, there) => {
    const clock = createVirtualClock();
    const world = await openBedrockWorld({ clock });
    const rows = Array.from({ length: ROWS }, (_, row) => `${row},${NAMES[row % NAMES.length]}\n`);
    await world.store.write(DATASET, `n,file\n${rows.join('')}`);
    await world.store.write('s3://my-bucket/photos/there.jpg', there);
    await world.store.write('s3://their-bucket/theirs.png', here);
    const folder = join(world.directory, 'files');
    await mkdir(folder);
    await writeFile(join(folder, 'here.png'), here);
    world.s3.fault = ({ path }) =>
      path.startsWith('their-bucket/') ? { status: 403, code: 'AccessDenied', message: 'No.' } : undefined;
    await using target = openWorldTarget(world, clock);
    const input = {
      s3_uri: DATASET,
      model_id: 'us.anthropic.claude-haiku-4-5-20251001-v1:0',
      prompt_template: 'Row {n}',
      run_id: 'media',
      files_folder: folder,
      ...keys,
    };
    const result = await runLocally(input, { target, random: () => 0.5 });
    expect(result).toMatchObject({
      kind: 'finished',
      summary: { rows: { total: ROWS, succeeded: ROWS / 2, failed: 0, not_sent: ROWS / 2 } },
    });
    const [output = ''] = [...world.s3.objects.keys()].filter((key) => key.includes('/runs/media/output/'));
    const path = join(world.directory, 'output.parquet');
    await writeFile(path, world.s3.objects.get(output) ?? '');
    const [first, second, theirs, none] = await Array.fromAsync(readResults([path], {}));
    expect(first?.response).toMatch(
      kind === 'Image' ? /an image \(png, 20 × 30 pixels\)/ : /a document \(pdf/,
    );
    expect(second?.response).toMatch(
      kind === 'Image' ? /an image \(jpeg, 40 × 50 pixels\)/ : /a document \(pdf/,
    );
    expect(theirs).toMatchObject({
      response: null,
      error_code: `${kind}NotReadable`,
      error_message: expect.stringContaining('Allow the S3 actions on "their-bucket"'),
    });
    expect(none).toMatchObject({ response: null, error_code: `${kind}NotFound` });
    expect((await world.emulator.usage()).totals.answered).toBe(ROWS / 2);
    expect(await verifyRun(runLayout(runUriOf(BUCKET, 'media')), target.store)).toMatchObject({
      rows: ROWS,
      broken: [],
    });
  },
);
