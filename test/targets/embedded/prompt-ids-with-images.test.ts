import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestOf } from '../../../src/emulator/faults/seeded-random.ts';
import { simulatedAnswer } from '../../../src/emulator/models/simulated-model.ts';
import { openDuckDb, sqlText } from '../../../src/rows/duckdb/duckdb.ts';
import { runLayout, runUriOf } from '../../../src/runs/run-layout.ts';
import { verifyRun } from '../../../src/steps/run/verify-run.ts';
import { runLocally } from '../../../src/targets/embedded/run-locally.ts';
import { LOCAL_BUCKET, sha256 } from '../../../src/targets/local/local-target.ts';
import { stageDataset } from '../../../src/targets/local/stage-dataset.ts';
import { MODEL, openEmulatedTarget, outputRows } from '../../support/emulated-run.ts';
import { pngOf } from '../../support/images.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const TEMPLATES: Readonly<Record<string, string>> = { say: 'Say {name}', tell: 'Tell {name}' };
const ROWS = 24;

/** What row N has: of six kinds of requests, rows that cannot be asked between them. */
function rowOf(n: number) {
  const kind = n % 8 === 5 ? 'shout' : n % 2 === 0 ? 'say' : 'tell';
  const photo = n % 8 === 7 ? undefined : pngOf(4, 4, 1 + (n % 3));
  return { kind, name: `row ${n % 6}`, photo };
}

function expectedOf(n: number): unknown[] {
  const { kind, name, photo } = rowOf(n);
  const template = TEMPLATES[kind];
  if (template === undefined) return ['UnknownPromptId', null];
  if (photo === undefined) return ['NullPromptValue', null];
  const shown = `It shows an image (png, 4 × 4 pixels) with the digest ${digestOf(photo.toString('base64'))}.`;
  return [null, `${simulatedAnswer(MODEL, template.replace('{name}', name))} ${shown}`];
}

async function writeRows(directory: string): Promise<string> {
  const path = join(directory, 'rows.parquet');
  const values = Array.from({ length: ROWS }, (_, n) => {
    const { kind, name, photo } = rowOf(n);
    const blob = photo === undefined ? 'CAST(NULL AS BLOB)' : `unhex('${photo.toString('hex')}')`;
    return `(${n}, ${sqlText(kind)}, ${sqlText(name)}, ${blob})`;
  });
  await using db = await openDuckDb({ memoryMb: 256, threads: 1, scratchDirectory: directory });
  await db.run(
    `COPY (SELECT * FROM (VALUES ${values.join(', ')}) AS t(n, kind, name, photo)) TO '${path}' (FORMAT PARQUET)`,
  );
  const { uri } = await stageDataset(path, { directory, bucket: LOCAL_BUCKET, hash: sha256 });
  return uri;
}

test('rows that choose their prompt and show an image are sent once, repaired, kept, and given to a later run', async () => {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({
    directory,
    quotas: { minRecordsPerJob: 1 },
    emulator: { faults: [{ fault: { kind: 'record-errors', fraction: 0.5, firstAttemptOnly: true } }] },
  });
  const s3_uri = await writeRows(directory);
  const run = async (run_id: string) =>
    outputRows(
      await runLocally(
        {
          ...{ s3_uri, run_id, model_id: MODEL, prompt_id_column: 'kind', prompt_templates: TEMPLATES },
          ...{ image_columns: ['photo'], dedupe: true, reuse: true, max_attempts: 6 },
        },
        { target: emulated.target, random: () => 0.5 },
      ),
      directory,
    );
  const expected = Array.from({ length: ROWS }, (_, n) => expectedOf(n));
  const first = await run('first');
  expect(first.map(({ error_code, response }) => [error_code, response])).toEqual(expected);
  expect(first.some(({ attempts }) => Number(attempts) > 1)).toBe(true);
  const distinct = new Set(expected.flatMap(([, response]) => response ?? [])).size;
  const { tracked } = await emulated.emulator.usage();
  expect(tracked).toMatchObject({ bodies: distinct, bodiesAnsweredMoreThanOnce: [] });

  const second = await run('second');
  expect(second.map(({ error_code, response }) => [error_code, response])).toEqual(expected);
  expect(second.filter(({ reused_from }) => reused_from === 'first')).toHaveLength(
    expected.filter(([code]) => code === null).length,
  );
  expect((await emulated.emulator.usage()).tracked?.bodies).toBe(distinct);

  const { store } = emulated.target.deps;
  const verified = await verifyRun(runLayout(runUriOf(LOCAL_BUCKET, 'first')), store);
  expect(verified).toEqual({ outputFiles: 1, rows: ROWS, broken: [] });
});
