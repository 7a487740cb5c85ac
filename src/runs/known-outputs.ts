import { z } from 'zod';
import { DamagedFileError } from '../core/errors.ts';
import type { S3Uri } from '../core/s3-uri.ts';
import { createDirectoryStore } from '../store/directory-store.ts';
import { readJson, readJsonIfPresent, writeJson } from '../store/json-object.ts';

/** What this machine remembers of where the results of a run go. */
const KnownOutput = z.object({
  run_id: z.string(),
  /** Absolute path that they are put into at the end; null where none was named. */
  output: z.string().nullable(),
  /** What was written, whole: files with their sizes, and folders. */
  written: z.array(z.object({ path: z.string(), bytes: z.int().min(0).nullable() })),
});
export type KnownOutput = z.infer<typeof KnownOutput>;
KnownOutput.register(z.globalRegistry, {
  title: 'the word of where the results of a run go',
  mend: 'Delete it, and name the place once more with --output.',
});

/** Below `--dir`, one JSON file for each run. */
const FOLDER = 's3://known-outputs';

/** What is remembered of the results of a run. */
export async function recallOutput(directory: string, runId: string): Promise<KnownOutput> {
  const known = await readJsonIfPresent(createDirectoryStore(directory), uriOf(runId), KnownOutput);
  return known ?? { run_id: runId, output: null, written: [] };
}

/** Remembers where the results of a run go at its end. */
export async function rememberOutput(directory: string, runId: string, output: string): Promise<void> {
  await remember(directory, { ...(await recallOutput(directory, runId)), output });
}

/** Remembers that the results of a run were written there; `bytes` of a folder are null. */
export async function rememberWritten(
  directory: string,
  runId: string,
  file: KnownOutput['written'][number],
): Promise<void> {
  const known = await recallOutput(directory, runId);
  const others = known.written.filter(({ path }) => path !== file.path);
  await remember(directory, { ...known, written: [...others, file] });
}

/** What is remembered of the results of every run; what cannot be read of it, one after the other, is in the way of none. */
export async function listKnownOutputs(
  directory: string,
): Promise<{ outputs: KnownOutput[]; damaged: DamagedFileError[] }> {
  const store = createDirectoryStore(directory);
  const outputs: KnownOutput[] = [];
  const damaged: DamagedFileError[] = [];
  for await (const { uri } of store.list(`${FOLDER}/`)) {
    try {
      outputs.push(await readJson(store, uri, KnownOutput));
    } catch (fault) {
      if (!(fault instanceof DamagedFileError)) throw fault;
      damaged.push(fault);
    }
  }
  return { outputs, damaged };
}

function remember(directory: string, known: KnownOutput): Promise<unknown> {
  return writeJson(createDirectoryStore(directory), uriOf(known.run_id), known);
}

function uriOf(runId: string): S3Uri {
  return `${FOLDER}/${runId}.json`;
}
