import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { InvalidRunInputError } from '../../core/errors.ts';
import { renderReportPage } from '../../report/report-page.ts';
import type { RunReport } from '../../report/run-report.ts';
import { writeReport } from '../../report/write-report.ts';
import { findRun } from '../../runs/run-store.ts';
import { diskFaultOf } from '../../store/disk-fault.ts';
import type { RunFiles } from '../../targets/run-files.ts';

/** Where else a report goes. */
export interface ReportOptions {
  /** A file for a copy, which ends in .html; it takes the place of one that is there. */
  output?: string | undefined;
}

/** A report, and where its page is. */
export interface WrittenReport {
  report: RunReport;
  /** The page beside the results: a path of this machine, or an S3 URI. */
  page: string;
  /** The copy, if one was asked for. */
  copy: string | null;
}

/** Writes the report of a run that has ended; of one that has not, InvalidRunInputError. */
export async function reportOf(
  runId: string,
  { files, output }: { files: RunFiles } & ReportOptions,
): Promise<WrittenReport> {
  const copy = output === undefined ? null : await placeOf(output);
  const { store, dir } = files;
  const { layout, plan, summary } = await findRun(files, runId);
  if (summary === undefined) {
    throw new InvalidRunInputError(
      `Run "${runId}" has not ended yet: its report is written when it has. See how far it is: quarry status ${runId}`,
    );
  }
  const scratchDirectory = join(dir, '.scratch');
  const report = await writeReport({ layout, plan, summary, store, scratchDirectory });
  if (copy !== null) await writeCopy(copy, renderReportPage(report), output ?? copy);
  return { report, page: store.localPath?.(layout.report) ?? layout.report, copy };
}

/** Refuses a place before anything is read. */
async function placeOf(output: string): Promise<string> {
  if (!/\.html?$/i.test(output)) {
    throw new InvalidRunInputError(
      `The report is one HTML file, and "${output}" does not end in .html. Name a file such as report.html.`,
    );
  }
  const path = resolve(output);
  const stats = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new InvalidRunInputError(`The report cannot be put into "${output}": ${error.message}.`, {
      cause: error,
    });
  });
  if (stats?.isDirectory()) {
    throw new InvalidRunInputError(
      `"${output}" is a folder. Name a file for the report, such as report.html.`,
    );
  }
  return path;
}

async function writeCopy(path: string, page: string, given: string): Promise<void> {
  const unfinished = join(dirname(path), `.quarry-${process.pid}-${basename(path).slice(0, 100)}.tmp`);
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(unfinished, page);
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true }).catch(() => {});
    throw (
      diskFaultOf(error, given) ??
      new InvalidRunInputError(`The report cannot be put into "${given}": ${(error as Error).message}.`, {
        cause: error,
      })
    );
  }
}
