import { InvalidRunInputError, QuarryError } from '../../core/errors.ts';
import type { RunSummary } from '../../core/run/summary.ts';
import { recallOutput, rememberOutput } from '../../runs/known-outputs.ts';
import type { RunFiles } from '../../targets/run-files.ts';
import type { Spelling } from '../quarry-options.ts';
import { isTaken, type OutputPlace, outputPlaceOf, requireUsable } from '../results/output-place.ts';
import { outputPathsOf, reportPathOf } from '../results/run-results.ts';
import { writeResults } from '../results/write-results.ts';
import type { RunEnd } from './run.ts';
import { aboutRun, OutputNotWrittenError } from './run-errors.ts';

/** Where the results of a run go at its end, which is looked at before anything is spent. */
export interface RunOutput {
  /** Once the run has its name, and before anything is sent; without a name, where only Plan can give it. Throws InvalidRunInputError. */
  claim(runId: string | undefined): Promise<void>;
  /** Puts the results there; OutputNotWrittenError where that fails. */
  end(summary: RunSummary): Promise<RunEnd>;
}

/** Whose output it is. */
interface OutputOwner {
  files: RunFiles;
  spell: Spelling;
  /** The dataset as the user named it. */
  dataset?: unknown;
  /** Of a run that is there already: what is remembered of it holds unless another place is named. */
  runId?: string;
}

/** Opens the output that was named, or is remembered of a run; without either the results stay where they are. */
export async function openRunOutput(named: string | undefined, owner: OutputOwner): Promise<RunOutput> {
  const { files, runId, dataset } = owner;
  const given = named ?? (runId === undefined ? null : (await recallOutput(files.dir, runId)).output);
  if (given === null || given === undefined) {
    return {
      claim: async () => {},
      end: async (summary) => ({
        summary,
        files: outputPathsOf(summary, files.store),
        report: await reportPathOf(summary, files),
      }),
    };
  }
  const place = outputPlaceOf(given);
  await requireUsable(place, { directory: files.dir, runId, dataset });
  return {
    claim: (claimant) => claimPlace(place, claimant, owner),
    end: (summary) => write(place, summary, files),
  };
}

async function claimPlace(
  place: OutputPlace,
  runId: string | undefined,
  { files: { dir }, spell, dataset }: OutputOwner,
): Promise<void> {
  if (runId !== undefined) {
    await requireUsable(place, { directory: dir, runId, dataset });
    return rememberOutput(dir, runId, place.path);
  }
  if (!(await isTaken(place))) return;
  throw new InvalidRunInputError(
    `There is something at "${place.given}" already, and whether it is of this run is not known before it is planned on AWS. Name another place for the results, or give ${spell('run_id')}. Nothing was started.`,
  );
}

async function write(place: OutputPlace, summary: RunSummary, files: RunFiles): Promise<RunEnd> {
  try {
    const written = await writeResults(place, { summary, files });
    return { summary, files: written, report: await reportPathOf(summary, files) };
  } catch (error) {
    const { message } = error as Error;
    const where = outputPathsOf(summary, files.store)[0] ?? '';
    const reason = error instanceof QuarryError ? message : `"${place.given}": ${message}`;
    throw aboutRun(
      new OutputNotWrittenError(
        `Run "${summary.run_id}" has ended and its results are safe, in ${where.replace(/[^/]*$/, '')}, but they could not be put where they were to go. ${reason}`,
        { cause: error, output: place.given },
      ),
      summary.run_id,
    );
  }
}
