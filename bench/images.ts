import { randomFillSync } from 'node:crypto';
import { mkdir, mkdtempDisposable, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { PlannedPart } from '../src/core/plan/part.ts';
import { anthropicMessages } from '../src/models/adapters/anthropic-messages.ts';
import { CONVERSE_MEDIA } from '../src/models/media.ts';
import { recordFrameOf } from '../src/models/record-frame.ts';
import { parsePromptTemplate } from '../src/prompts/prompt-template.ts';
import { openMediaReader } from '../src/rows/media/media-reader.ts';
import { prepareSlice } from '../src/rows/prepare/prepare-slice.ts';
import { describeDataset } from '../src/rows/sources/describe-dataset.ts';
import { createDirectoryStore } from '../src/store/directory-store.ts';
import { jpegOf } from '../test/support/images.ts';

/**
 * Prepares rows with an image each, and says how long it took and how much memory: `node bench/images.ts --images 10000`. The
 * images are made first, in the same process, one after the other.
 */
const { values } = parseArgs({
  options: { images: { type: 'string', default: '10000' }, bytes: { type: 'string', default: '100000' } },
});
const [images, bytes] = [Number(values.images), Number(values.bytes)];

await using directory = await mkdtempDisposable(join(tmpdir(), 'quarry-bench-'));
const folder = join(directory.path, 'set');
await mkdir(folder);
const image = jpegOf(640, 480, bytes);
for (let row = 0; row < images; row += 1) {
  await writeFile(join(folder, `${row}.jpg`), randomFillSync(image, 100));
}
const path = join(folder, 'set.csv');
await writeFile(
  path,
  `n,photo\n${Array.from({ length: images }, (_, row) => `${row},${row}.jpg\n`).join('')}`,
);
const file = { uri: 's3://bench/set.csv', bytes: (await stat(path)).size, etag: 'e', path } as const;
const dataset = await describeDataset([file]);

const { media: support = CONVERSE_MEDIA } = anthropicMessages;
const store = createDirectoryStore(directory.path);
const started = performance.now();
let [records, written] = [0, 0];
const part: PlannedPart = { part_id: 'p', variant: 0, first_row: 0, rows: images };
await prepareSlice({
  slice: {
    slice: 0,
    reads: [{ uri: file.uri, first_row_in_file: 0, rows: images, first_row: 0 }],
    parts: [part],
  },
  dataset,
  fileOf: () => file,
  frame: recordFrameOf(
    anthropicMessages,
    { systemPrompt: undefined, parameters: {} },
    { prompt: parsePromptTemplate('Row {n}'), media: [{ kind: 'image', column: 'photo' }] },
  ),
  media: { support, reader: await openMediaReader({ folder, store, fetchMedia: undefined }) },
  recordIdColumn: undefined,
  maxBytes: 1024 ** 3,
  rowsCompression: 'uncompressed',
  scratchDirectory: join(directory.path, 'scratch'),
  emit: async (prepared) => {
    records += prepared.records;
    written += prepared.bytes;
  },
});
if (records !== images) throw new Error(`${records} of ${images} rows became records.`);
const seconds = (performance.now() - started) / 1000;
const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
console.log(
  `${images} images of ${bytes} bytes: ${written} bytes of records in ${seconds.toFixed(1)} s, CPU of all ${((userCPUTime + systemCPUTime) / 1e6).toFixed(1)} s, peak ${Math.round(maxRSS / 1024)} MB`,
);
