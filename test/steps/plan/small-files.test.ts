/** A plan over many small files on this machine: how often it opens each, and how often it writes, whatever the machine's speed. */
import fs from 'node:fs';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import zlib, { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { draftPlan } from '../../../src/steps/plan/draft-plan.ts';
import { LOCAL_BUCKET, localPlanDeps } from '../../../src/targets/local/local-target.ts';
import { readStepPolicies, storeOf, withInputBucket } from '../../support/step-policies.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const FILES = 60;
const ROWS = 20;

const rowsOf = (file: number) => Array.from({ length: ROWS }, (_, row) => `row ${file * ROWS + row}`);
const csv = (file: number) => `text\n${rowsOf(file).join('\n')}\n`;
const jsonl = (file: number) =>
  rowsOf(file)
    .map((text) => `${JSON.stringify({ text })}\n`)
    .join('');

/** Counts calls from here on, by what they do. */
async function countCalls(below: string) {
  const spies = {
    blocking: vi.spyOn(fs, 'openSync'),
    others: vi.spyOn(fs.promises, 'open'),
    streams: vi.spyOn(zlib, 'createGunzip'),
  };
  syncBuiltinESMExports();
  await using probe = await open(below);
  const writes = vi.spyOn(Object.getPrototypeOf(probe), 'write');
  onTestFinished(() => {
    vi.restoreAllMocks();
    syncBuiltinESMExports();
  });
  const opens = (calls: unknown[][]) => calls.filter(([path]) => String(path).startsWith(`${below}/`)).length;
  return () => ({
    blocking: opens(spies.blocking.mock.calls),
    others: opens(spies.others.mock.calls),
    streams: spies.streams.mock.calls.length,
    writes: writes.mock.calls.length,
  });
}

test.each([
  { name: 'a.jsonl', contentOf: jsonl, reads: 5, writes: 3 },
  { name: 'a.csv', contentOf: csv, reads: 5, writes: 0 },
  { name: 'a.csv.gz', contentOf: (file: number) => gzipSync(csv(file)), reads: 8, writes: 3 },
])(
  '$name: each is opened $reads times, without streams, and $writes writes hold what all have',
  async ({ name, contentOf, reads, writes }) => {
    const directory = await temporaryDirectory();
    const folder = join(directory, 'bucket', 'data');
    await mkdir(folder, { recursive: true });
    for (let file = 0; file < FILES; file++) {
      await writeFile(join(folder, `${String(file).padStart(3, '0')}-${name}`), contentOf(file));
    }
    const deps = localPlanDeps({ directory, clock: systemClock, version: '0.0.0' });
    // As a stack's Plan, though of files that are here.
    const policies = withInputBucket(readStepPolicies(), 'bucket');
    const store = storeOf('plan', deps.store, { bucket: LOCAL_BUCKET, policies });
    const counted = await countCalls(folder);
    const { plan } = await draftPlan(
      {
        model_id: 'us.amazon.nova-lite-v1:0',
        prompt_template: 'What does it say? {text}',
        s3_uri: 's3://bucket/data/',
      },
      { ...deps, store, isDraft: true },
    );
    expect(plan.dataset.rows).toBe(FILES * ROWS);
    const counts = counted();
    expect(counts).toMatchObject({ others: 0, streams: 0 });
    expect(counts.blocking).toBeLessThanOrEqual(reads * FILES);
    expect(counts.writes).toBeLessThanOrEqual(writes);
  },
);
