import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { InvalidRunInputError } from '../../core/errors.ts';
import { errorColumnsOf, type RunSummary } from '../../core/run/summary.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import { copyResults } from '../../rows/results/copy-results.ts';
import type { ResultRows } from '../../rows/results/read-results.ts';
import { rememberWritten } from '../../runs/known-outputs.ts';
import { diskFaultOf } from '../../store/disk-fault.ts';
import { syncFile } from '../../store/durable-file.ts';
import { copyWhole } from '../../targets/local/copy-whole.ts';
import type { RunFiles } from '../../targets/run-files.ts';
import { type OutputPlace, requireUsable, SUMMARY_FILE } from './output-place.ts';
import { resultLines } from './result-lines.ts';
import { sweepUnfinished } from './unfinished-files.ts';

/** What of a run is written. */
export interface WriteRequest {
  summary: RunSummary;
  files: Pick<RunFiles, 'store' | 'dir'>;
  /** Which rows, where it is one file; a folder has all of them. */
  rows?: ResultRows;
}

/** Puts the results of a run that has ended where they are to be; the paths of the files. Each is whole, or not there. */
export async function writeResults(place: OutputPlace, request: WriteRequest): Promise<string[]> {
  const { summary, files, rows = {} } = request;
  if (place.kind === 'folder' && (rows.head !== undefined || rows.failedOnly === true)) {
    throw new InvalidRunInputError(
      `A folder gets all result files, and "${place.given}" is one. For some of the rows name one file, such as ${join(place.given, 'rows.parquet')}, .csv or .jsonl.`,
    );
  }
  await requireUsable(place, { directory: files.dir, runId: summary.run_id });
  try {
    return await (place.kind === 'folder' ? writeFolder(place, request) : writeOneFile(place, request));
  } catch (error) {
    throw diskFaultOf(error, place.given) ?? error;
  }
}

async function writeFolder(
  { path: folder }: OutputPlace,
  { summary, files }: WriteRequest,
): Promise<string[]> {
  const paths: string[] = [];
  await mkdir(folder, { recursive: true });
  await sweepUnfinished(folder, /\.parquet\.(\d+)-\d+\.tmp$/);
  await writeFile(join(folder, SUMMARY_FILE), `${JSON.stringify(summary, null, 2)}\n`);
  for (const uri of summary.output_uris) {
    await using file = await files.store.fetchFile(uri as S3Uri);
    const path = join(folder, basename(uri));
    await copyWhole(file.path, path);
    paths.push(path);
  }
  await rememberWritten(files.dir, summary.run_id, { path: folder, bytes: null });
  return paths;
}

/** All rows in one file, which is written beside its place and takes it once it is whole. */
async function writeOneFile(
  place: Extract<OutputPlace, { kind: 'file' }>,
  { summary, files, rows = {} }: WriteRequest,
): Promise<string[]> {
  const { path, format } = place;
  const unfinished = join(dirname(path), `.quarry-${process.pid}-${basename(path).slice(0, 100)}.tmp`);
  try {
    await mkdir(dirname(path), { recursive: true });
    await sweepUnfinished(dirname(path), /^\.quarry-(\d+)-.+\.tmp$/);
    if (format === 'parquet') {
      await using opened = new AsyncDisposableStack();
      const parts: string[] = [];
      for (const uri of summary.output_uris) {
        parts.push(opened.use(await files.store.fetchFile(uri as S3Uri)).path);
      }
      await copyResults(parts, unfinished, { ...rows, errorColumns: errorColumnsOf(summary) });
    } else {
      await pipeline(
        Readable.from(resultLines(summary, files, { ...rows, format })),
        createWriteStream(unfinished),
      );
    }
    await syncFile(unfinished);
    const { size } = await stat(unfinished);
    await rename(unfinished, path);
    await rememberWritten(files.dir, summary.run_id, { path, bytes: size });
  } catch (error) {
    await rm(unfinished, { force: true, recursive: false }).catch(() => {});
    throw error;
  }
  return [path];
}
