import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { LOCAL_BUCKET, sha256 } from '../../../src/targets/local/local-target.ts';
import { stageDataset } from '../../../src/targets/local/stage-dataset.ts';
import { MODEL, openEmulatedTarget, outputRows, runEmulated } from '../../support/emulated-run.ts';
import { readStored } from '../../support/stored-document.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

vi.setConfig({ testTimeout: 120_000 });

test('a run that was planned before there were variants goes on, and pays for nothing twice', async () => {
  const directory = await temporaryDirectory();
  const path = join(directory, 'rows.csv');
  await writeFile(path, `name\n${Array.from({ length: 150 }, (_, row) => `n${row}\n`).join('')}`);
  await using emulated = await openEmulatedTarget({ directory });
  const { uri: s3_uri } = await stageDataset(path, { directory, bucket: LOCAL_BUCKET, hash: sha256 });
  const input = { s3_uri, model_id: MODEL, prompt_template: 'Say {name}', run_id: 'old' };
  const run = () => runEmulated(input, { target: emulated.target, random: () => 0.5 });
  const first = await run();
  const rows = await outputRows(first, directory);
  const at = (key: string) => join(directory, LOCAL_BUCKET, key);

  // As version 0.1.0 left it, broken off before it was collected.
  for (const key of ['runs/old/plan.json', 'working/old/planned/plan.json']) {
    const { variants, ...plan } = await readStored(at(key));
    const { parameters: _, ...variant } = variants[0];
    await writeFile(at(key), JSON.stringify({ ...plan, ...variant, format_version: 2 }));
  }
  for (const key of [
    'runs/old/slices/00000.json',
    'runs/old/waves/1/parts.json',
    'runs/old/waves/1/items.json',
    'working/old/slices/00000.json',
  ]) {
    const text = JSON.stringify(await readStored(at(key)), null, 2);
    expect(text).toContain('"variant": 0');
    await writeFile(at(key), text.replaceAll(/ *"variant": 0,\n/g, ''));
  }
  for (const folder of ['ledger', 'output', 'summary.json'])
    await rm(at(`runs/old/${folder}`), { recursive: true });

  const second = await run();
  expect(second).toMatchObject({ kind: 'finished' });
  expect(await outputRows(second, directory)).toEqual(rows);
  const { totals, tracked } = await emulated.emulator.usage();
  expect(totals.jobs).toBe(1);
  expect(tracked?.answeredMoreThanOnce).toEqual([]);
});
