import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { PartLedger } from '../../../src/core/run/ledger.ts';
import { runLayout } from '../../../src/runs/run-layout.ts';
import {
  keepPartFiles,
  lacksFiles,
  requirePartFiles,
  requireTurnResult,
} from '../../../src/steps/part/part-files.ts';
import { createDirectoryStore } from '../../../src/store/directory-store.ts';
import { factsOf } from '../../../src/store/file-facts.ts';
import { writeJson } from '../../../src/store/json-object.ts';
import type { StepName } from '../../../src/workflow/definition.ts';
import { storeOf } from '../../support/step-policies.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const layout = runLayout('s3://bucket/runs/mine');
const KINDS = ['records', 'lengths', 'rows'] as const;

async function keptPart() {
  const directory = await temporaryDirectory();
  const store = createDirectoryStore(join(directory, 'store'));
  const [recordsPath, rowsPath] = [join(directory, 'records'), join(directory, 'rows')];
  await writeFile(recordsPath, '{"recordId":"r1"}\n{"recordId":"r2"}\n');
  await writeFile(rowsPath, 'PAR1 and so on');
  const as = (step: StepName) => ({ layout, store: storeOf(step, store, { bucket: 'bucket' }) });
  await keepPartFiles('p00001', { recordsPath, rowsPath }, as('prepare'));
  // Which reads all of them.
  return { directory, store, place: as('repack') };
}

test.each([
  ['records', layout.records('p00001')],
  ['lengths', layout.recordLengths('p00001')],
  ['rows', layout.rows('p00001')],
] as const)('the %s of a part are those that were written, or named', async (kind, uri) => {
  const { store, place } = await keptPart();
  const path = store.localPath?.(uri) ?? '';
  await requirePartFiles('p00001', KINDS, place);
  const bytes = await readFile(path);
  bytes[1] = (bytes[1] ?? 0) ^ 1;
  await writeFile(path, bytes);
  await expect(requirePartFiles('p00001', [kind], place)).rejects.toThrow(
    `${path} is damaged: its content has changed since it was written. Delete ${path}, and start the run again: it is made again, and nothing is paid for twice.`,
  );
  await writeFile(path, bytes.subarray(1));
  await expect(requirePartFiles('p00001', [kind], place)).rejects.toThrow(
    `it has ${bytes.length - 1} bytes, and had ${bytes.length} when it was written`,
  );
  expect(await lacksFiles({ part_id: 'p00001' }, place)).toBe(false);
  await rm(path);
  await expect(requirePartFiles('p00001', [kind], place)).rejects.toThrow('it is not there');
  expect(await lacksFiles({ part_id: 'p00001' }, place)).toBe(true);
});

test('a part of an earlier version, of which nothing was noted, is taken as it is', async () => {
  const { store, place } = await keptPart();
  await store.delete(layout.partFiles('p00001'));
  await store.delete(layout.rows('p00001'));
  await requirePartFiles('p00001', KINDS, place);
  expect(await lacksFiles({ part_id: 'p00001' }, place)).toBe(false);
});

test('what a turn left is what its ledger says, or the ledger is named that has to go', async () => {
  const { directory, store, place } = await keptPart();
  const path = join(directory, 'result');
  await writeFile(path, 'PAR1 with answers');
  const counts = { total: 1, succeeded: 0, failed: 1, not_sent: 0 };
  const ledger = {
    ...{ part_id: 'p00001', wave: 1, rows: counts, tokens: { input: 0, output: 0 }, reasons: [] },
    ...{ stray_lines: 0, job_arn: null, job_status: null, job_message: null },
    owed: { records: 1, bytes: 10 },
    result: await factsOf(path),
  } satisfies PartLedger;
  await writeJson(store, layout.ledger('p00001'), ledger);
  await store.putFile(path, layout.result('p00001'));
  await requireTurnResult('p00001', place);
  await store.write(layout.result('p00001'), 'PAR1 with Answers');
  await expect(requireTurnResult('p00001', place)).rejects.toThrow(
    `${store.localPath?.(layout.result('p00001'))} is damaged: its content has changed since it was written. Delete ${store.localPath?.(layout.ledger('p00001'))}, and start the run again: the part is collected again from what its job left, and nothing is paid for twice.`,
  );
});
