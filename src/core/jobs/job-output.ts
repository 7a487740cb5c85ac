import type { JobStatus } from './job.ts';

/** What a job's output was found to have. */
export interface FoundOutput {
  /** Records of the part that have a line. */
  answered: number;
  /** Lines that are not blank. */
  lines: number;
  /** Of these, the ones that say nothing of a record. */
  unreadable: number;
  /** True where a file ends in the middle of a line or of its compression. */
  isCutOff: boolean;
}

/** What Bedrock says of a job that has ended. */
export interface ToldOutput {
  status: JobStatus;
  /** Records that were sent. */
  records: number;
  /** Records that it processed, by the job and by its manifest; undefined or null where they do not say. */
  processed: readonly (number | null | undefined)[];
}

/** What is to be done about a job's output. */
export interface OutputVerdict {
  /** `whole`: all that there is is here. `missing`: answers that were paid for are not here, or cannot be read. */
  kind: 'whole' | 'missing';
  /** Records that the job says it processed; undefined where nothing says so. */
  processed: number | undefined;
  /** True where a record without a line may have been processed all the same: that was one of its attempts. */
  wasTried: boolean;
}

/** How many records a job processed; a count of more than were sent is none. */
function processedOf({ records, processed }: ToldOutput): number | undefined {
  const counts = processed.filter((count) => typeof count === 'number' && count <= records);
  return counts.length === 0 ? undefined : Math.max(...(counts as number[]));
}

/**
 * Compares what a job left with what Bedrock says that it did. Lines that are there and damaged are their records' own bad
 * luck, unless they are most of them: then it is the file that cannot be read.
 */
export function judgeOutput(found: FoundOutput, told: ToldOutput): OutputVerdict {
  const { answered, lines, isCutOff } = found;
  const processed = processedOf(told);
  const wasTried = mayHaveBeenTried(found, told, processed);
  // What a failed job has done is neither kept nor paid for.
  if (told.status === 'Failed' || processed === undefined || answered >= processed) {
    return { kind: 'whole', processed, wasTried };
  }
  const isThere = lines >= processed && !isCutOff && answered * 2 >= processed;
  return { kind: isThere ? 'whole' : 'missing', processed, wasTried };
}

/** A completed job has tried every record; of any other, the counts tell, and where there are none, whether it left anything. */
function mayHaveBeenTried(
  { answered, lines }: FoundOutput,
  { status }: ToldOutput,
  processed: number | undefined,
): boolean {
  if (status === 'Completed') return true;
  return processed === undefined ? lines > 0 : processed > answered;
}

/** Milliseconds after the end of a job in which its output may still come. */
export const OUTPUT_PATIENCE_MS = 30 * 60_000;
