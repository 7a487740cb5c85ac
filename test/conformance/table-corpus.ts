/**
 * Runs every text file that packages ship as tables, each through the whole workflow on one machine, in virtual time, and
 * leaves a list of what became of it for check-tables.py. Usage: table-corpus.ts DIRECTORY FILE_OR_FOLDER...
 */
import { copyFile, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { createVirtualClock } from '../../src/core/clock.ts';
import { InvalidDatasetError } from '../../src/core/errors.ts';
import { runLayout } from '../../src/runs/run-layout.ts';
import { readPlan } from '../../src/steps/run/read-plan.ts';
import { localPathOf } from '../../src/store/directory-store.ts';
import { runLocally } from '../../src/targets/embedded/run-locally.ts';
import { LOCAL_BUCKET, openLocalTarget, sha256 } from '../../src/targets/local/local-target.ts';
import { stageDataset } from '../../src/targets/local/stage-dataset.ts';

const MODEL = 'us.amazon.nova-lite-v1:0';
const TABLE = /\.(?:parquet|(?:csv|tsv|json|jsonl)(?:\.(?:gz|zst))?)$/i;
/** Larger ones take their time, and say nothing that others do not. */
const MOST_BYTES = 200_000;

async function tablesBelow(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const names = await readdir(path, { recursive: true });
  return names
    .filter((name) => TABLE.test(name))
    .sort()
    .map((name) => join(path, name));
}

const [directory = '', ...sources] = process.argv.slice(2);
const paths = (await Promise.all(sources.map(tablesBelow))).flat();
await mkdir(directory, { recursive: true });
await using target = await openLocalTarget({ directory, clock: createVirtualClock(), version: '0.0.0' });
const outcomes: unknown[] = [];
for (const [index, path] of paths.entries()) {
  if ((await stat(path)).size > MOST_BYTES) continue;
  // Files of one name, and names with anything in them.
  const copy = join(directory, 'input', String(index), basename(path));
  await mkdir(join(directory, 'input', String(index)), { recursive: true });
  await copyFile(path, copy);
  const { uri: s3_uri } = await stageDataset(copy, { directory, bucket: LOCAL_BUCKET, hash: sha256 });
  const run = (given: object) =>
    runLocally(
      // No placeholder, as nobody knows the columns.
      {
        s3_uri,
        model_id: MODEL,
        prompt_template: 'One row.',
        force: true,
        run_id: `table-${index}`,
        output_column: 'quarry answer',
        ...given,
      },
      { target, random: () => 0.5 },
    );
  const asItIs = await run({});
  // Values stand where names should: it has no header.
  const hasTwins = asItIs.kind === 'failed' && asItIs.message.includes('two columns named');
  const result = hasTwins ? await run({ csv_header: false }) : asItIs;
  if (result.kind !== 'finished') {
    const isRefused = result.kind === 'failed' && result.error === new InvalidDatasetError('').name;
    outcomes.push({
      path,
      refusal: isRefused ? result.message : undefined,
      fault: isRefused ? undefined : JSON.stringify(result),
    });
    continue;
  }
  const { plan } = await readPlan(runLayout(`s3://${LOCAL_BUCKET}/runs/table-${index}`).runUri, target.deps);
  const [file] = plan.dataset.files;
  outcomes.push({
    path,
    columns: plan.dataset.columns.map(({ name }) => name),
    delimiter: file?.layout?.csv?.delimiter ?? (/\.tsv/i.test(path) ? '\t' : ','),
    quote: file?.layout?.csv?.quote ?? '"',
    encoding: file?.layout?.encoding ?? 'utf-8',
    has_header: file?.layout?.csv?.header ?? true,
    notes: plan.notes,
    outputs: result.summary.output_uris.map((uri) => localPathOf(directory, uri as `s3://${string}`)),
  });
}
await writeFile(join(directory, 'tables.json'), JSON.stringify(outcomes));
