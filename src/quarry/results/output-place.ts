import { randomUUID } from 'node:crypto';
import { readdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, extname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { z } from 'zod';
import { InvalidRunInputError } from '../../core/errors.ts';
import { hiddenBelow } from '../../core/passed-over.ts';
import { listKnownOutputs, recallOutput } from '../../runs/known-outputs.ts';

/** Formats of one file, by the ending of its name. */
const FORMATS = { '.parquet': 'parquet', '.csv': 'csv', '.jsonl': 'jsonl' } as const;
export type FileFormat = (typeof FORMATS)[keyof typeof FORMATS];

/** Where results are put: a folder gets the run's Parquet files and its summary, one file all rows. */
export type OutputPlace =
  | { kind: 'folder'; path: string; given: string }
  | { kind: 'file'; path: string; given: string; format: FileFormat };

/** Beside the results in a folder, it says whose they are; readers of a folder of Parquet pass over names that begin so. */
export const SUMMARY_FILE = '_summary.json';
/** Its name in version 0.1.0. */
const FORMER_SUMMARY_FILE = 'summary.json';

/** The place that a name stands for: one file where it ends in `.parquet`, `.csv` or `.jsonl`, or a format is named, else a folder. */
export function outputPlaceOf(given: string, named?: FileFormat): OutputPlace {
  if (given === '') {
    throw new InvalidRunInputError(
      'The name of the output is empty. Name a folder, or a file such as out.csv.',
    );
  }
  const path = resolve(given);
  const format = FORMATS[extname(path).toLowerCase() as keyof typeof FORMATS];
  if (named !== undefined && format !== undefined && named !== format) {
    throw new InvalidRunInputError(
      `"${given}" ends as a file of ${format} does, and the format is ${named}. Give the file another name, or leave the format out.`,
    );
  }
  if (named !== undefined) return { kind: 'file', path, given, format: named };
  return format === undefined ? { kind: 'folder', path, given } : { kind: 'file', path, given, format };
}

/** What is known of whoever is to use a place. */
export interface PlaceUse {
  /** The folder of the local store, which remembers what runs have written. */
  directory: string;
  /** Undefined until the run has its name. */
  runId?: string | undefined;
  /** The dataset as the user named it; results within its folder would be data the next time. */
  dataset?: unknown;
}

/**
 * Throws InvalidRunInputError where results could not be put there: what is no folder, may not be written to, has other things in
 * it, or is another run's. Where no run is named yet, what is any one run's will do.
 */
export async function requireUsable(place: OutputPlace, use: PlaceUse): Promise<void> {
  await refuseWithinDataset(place, use.dataset);
  const folder = place.kind === 'file' ? dirname(place.path) : place.path;
  await requireWritable(folder, place);
  if (place.kind === 'folder') await requireFreeFolder(place, use.runId);
  else await requireFreeFile(place, use);
  if (use.runId !== undefined) await refuseOtherRuns(place, use.directory, use.runId);
}

/** True where something is at the place already. */
export async function isTaken({ kind, path }: OutputPlace): Promise<boolean> {
  if (kind === 'folder') return (await namesIn(path)).length > 0;
  return (await statOf(path)) !== undefined;
}

async function refuseWithinDataset(place: OutputPlace, dataset: unknown): Promise<void> {
  const names = Array.isArray(dataset) && typeof dataset[0] === 'string' ? dataset : [dataset];
  for (const name of names) await refuseWithin(place, name);
}

async function refuseWithin({ path, given }: OutputPlace, dataset: unknown): Promise<void> {
  if (typeof dataset !== 'string' || /^(?:s3:\/\/|hf:)/.test(dataset)) return;
  const root = await realpath(dataset).catch(() => undefined);
  if (root === undefined || !(await stat(root)).isDirectory()) return;
  const present = await nearestFolder(path);
  const below = relative(root, join(await realpath(present), relative(present, path)));
  const isBelow = below.split(sep)[0] !== '..' && !isAbsolute(below);
  if (!isBelow || hiddenBelow(below) !== undefined) return;
  throw new InvalidRunInputError(
    `The results cannot be put into "${given}": it is within the dataset "${dataset}", and they would be data the next time. Name a place outside of it.`,
  );
}

/** Throws where the folder, or the nearest one above it that is there, may not be written to. */
async function requireWritable(folder: string, { given }: OutputPlace): Promise<void> {
  try {
    const present = await nearestFolder(folder);
    if (!(await stat(present)).isDirectory()) throw new Error(`${present} is not a folder`);
    // Asked whether root may write, systems say yes on what nobody can write to.
    // Named as what is not finished: where this is killed in between, the next command sweeps it.
    const probe = join(present, `.quarry-${process.pid}-${randomUUID()}.tmp`);
    await writeFile(probe, '', { flag: 'wx' });
    await rm(probe);
  } catch (error) {
    throw unusable(given, error as Error);
  }
}

/** The path itself, or the nearest one above it that is there. */
async function nearestFolder(path: string): Promise<string> {
  for (let present = path; ; present = dirname(present)) {
    const stats = await stat(present).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      return undefined;
    });
    if (stats !== undefined || present === dirname(present)) return present;
  }
}

async function requireFreeFolder({ path, given }: OutputPlace, runId: string | undefined): Promise<void> {
  const names = await namesIn(path).catch((error: Error) => {
    throw unusable(given, error);
  });
  if (names.length === 0) return;
  const owner = await ownerOf(path);
  if (owner !== undefined && (runId === undefined || owner === runId)) return;
  throw new InvalidRunInputError(
    owner === undefined
      ? `"${given}" is not empty. Name an empty folder for the results.`
      : `"${given}" has the results of run ${owner}. Name another folder for those of run ${runId}.`,
  );
}

async function requireFreeFile({ path, given }: OutputPlace, { directory, runId }: PlaceUse): Promise<void> {
  const stats = await statOf(path).catch((error: Error) => {
    throw unusable(given, error);
  });
  if (stats === undefined) return;
  if (stats.isDirectory()) {
    throw new InvalidRunInputError(
      `"${given}" is a folder, and a name with this ending is one file. Name another file for the results.`,
    );
  }
  const { outputs, damaged } =
    runId === undefined
      ? await listKnownOutputs(directory)
      : { outputs: [await recallOutput(directory, runId)], damaged: [] };
  const isOurs = outputs.some(({ written }) =>
    written.some((file) => file.path === path && file.bytes === stats.size),
  );
  if (isOurs) return;
  throw new InvalidRunInputError(
    `"${given}" is there already${runId === undefined ? '' : `, and is not as run ${runId} has written it`}. Name another file for the results, or move it away.${damaged.map(({ message }) => ` ${message}`).join('')}`,
  );
}

/** Throws where another run, whose results are not there yet, is to put them into the same place. */
async function refuseOtherRuns(
  { path, given }: OutputPlace,
  directory: string,
  runId: string,
): Promise<void> {
  for (const { run_id, output, written } of (await listKnownOutputs(directory)).outputs) {
    if (run_id === runId || output !== path || written.some((file) => file.path === path)) continue;
    throw new InvalidRunInputError(
      `The results of run ${run_id} are to be put into "${given}" once it has ended. Name another place for those of run ${runId}.`,
    );
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
}

async function statOf(path: string) {
  return stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

/** The run whose results a folder has; undefined where it has none. */
async function ownerOf(directory: string): Promise<string | undefined> {
  for (const name of [SUMMARY_FILE, FORMER_SUMMARY_FILE]) {
    try {
      const text = await readFile(join(directory, name), 'utf8');
      return z.object({ run_id: z.string() }).parse(JSON.parse(text)).run_id;
    } catch {
      // Not there, or not ours.
    }
  }
  return undefined;
}

function unusable(given: string, error: Error): InvalidRunInputError {
  return new InvalidRunInputError(`The results cannot be put into "${given}": ${error.message}.`, {
    cause: error,
  });
}
