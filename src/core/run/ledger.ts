import { z } from 'zod';
import { StopReasonCounts } from '../jobs/answer-flaws.ts';

const Count = z.int().min(0);

/** Where every row ended: `total = succeeded + failed + not_sent`. */
export const RowCounts = z.object({
  total: Count,
  succeeded: Count,
  failed: Count,
  not_sent: Count,
  /** Of those that succeeded, rows whose answer a former run has paid for; absent where none may be. */
  reused: Count.optional(),
});
export type RowCounts = z.infer<typeof RowCounts>;

/** Tokens, as the model's own answers count them. */
export const TokenCounts = z.object({ input: Count, output: Count });
export type TokenCounts = z.infer<typeof TokenCounts>;

/** Why rows have no answer: a code, how many rows, and one of them. */
export const Reason = z.object({
  error_code: z.string(),
  rows: Count,
  example_record_id: z.string(),
  example_message: z.string(),
});
export type Reason = z.infer<typeof Reason>;

/**
 * Rows without a wanted answer that were sent so often, by what a further attempt could do: it may succeed, or the account
 * was at fault, or the model said that the record is.
 */
export const FailureCounts = z.object({ attempts: Count, retryable: Count, account: Count, client: Count });
export type FailureCounts = z.infer<typeof FailureCounts>;

/** A result file as it was written: of `verify`, and of whoever finds another one in its place. */
export const ResultFacts = z.object({ bytes: Count, sha256: z.string() });
export type ResultFacts = z.infer<typeof ResultFacts>;

/** Answers in which a property of the schema was wrong or missing. */
export const PropertyViolations = z.object({ property: z.string(), answers: Count });
export type PropertyViolations = z.infer<typeof PropertyViolations>;

/** What became of one part's rows. */
export const PartLedger = z.object({
  part_id: z.string(),
  wave: z.int().min(1),
  rows: RowCounts,
  tokens: TokenCounts,
  reasons: z.array(Reason),
  /** How its answers ended, the most frequent first; absent in ledgers of version 0.1.0. */
  stop_reasons: z.array(StopReasonCounts).optional(),
  /** Lines of output that belong to no row: unknown or repeated record ids, or unreadable. */
  stray_lines: Count,
  /** Answers that were an object of the schema once text around it was taken away; absent without `output_schema`. */
  mended: Count.optional(),
  /** Answers that were checked against the schema, and how many of them had which property wrong; absent without `output_schema`. */
  checked: Count.optional(),
  violations: z.array(PropertyViolations).optional(),
  job_arn: z.string().nullable(),
  job_status: z.string().nullable(),
  /** What Bedrock said of a job that failed. */
  job_message: z.string().nullable(),
  /** When Bedrock took the job, and when it ended, ISO 8601; null where there was none, absent in ledgers of version 0.1.0. */
  job_submitted_at: z.string().nullable().optional(),
  job_ended_at: z.string().nullable().optional(),
  /** Records that are to be sent again, and about how many bytes of input they are. */
  owed: z.object({ records: Count, bytes: Count }),
  /** Records that were one attempt further in the end; absent in ledgers of version 0.1.0. */
  tried: Count.optional(),
  /**
   * Records that may have been paid for, whose tokens neither a line nor the job's manifest tells; absent in ledgers of earlier versions.
   */
  uncounted: Count.optional(),
  /** What could still be sent again, under whatever limit; absent in ledgers of version 0.1.0. */
  failures: z.array(FailureCounts).optional(),
  /** Rows that are answered elsewhere: each gets the answer of an identical request in the end. Absent where none does. */
  answered_elsewhere: Count.optional(),
  /** The file with these rows; absent where an earlier version wrote it. */
  result: ResultFacts.optional(),
});
export type PartLedger = z.infer<typeof PartLedger>;
PartLedger.register(z.globalRegistry, { title: 'the ledger of a part' });

/** True where a part's result is its output: no row of it is sent again, or waits for another's answer. */
export function isFinal({
  owed,
  answered_elsewhere = 0,
}: Pick<PartLedger, 'owed' | 'answered_elsewhere'>): boolean {
  return owed.records === 0 && answered_elsewhere === 0;
}

/** What became of the rows of a part of the dataset once its repairs are in. */
export const MergedLedger = PartLedger.pick({
  part_id: true,
  rows: true,
  reasons: true,
  stop_reasons: true,
  result: true,
});
export type MergedLedger = z.infer<typeof MergedLedger>;
MergedLedger.register(z.globalRegistry, { title: 'the last ledger of a part' });

/** An output file of several variants: how many rows it has, each with the answers of all. */
export const JoinedLedger = z.object({ part_id: z.string(), rows: Count, result: ResultFacts });
export type JoinedLedger = z.infer<typeof JoinedLedger>;
JoinedLedger.register(z.globalRegistry, { title: 'what is in an output file' });

/** How many rows took each number of attempts, and how many of those have an answer. */
export const AttemptCounts = z.object({ attempts: Count, rows: Count, succeeded: Count });
export type AttemptCounts = z.infer<typeof AttemptCounts>;

/** The same counts with each number of attempts once, the fewest first. */
export function addAttempts(counts: readonly AttemptCounts[]): AttemptCounts[] {
  const byAttempts = new Map<number, AttemptCounts>();
  for (const { attempts, rows, succeeded } of counts) {
    const before = byAttempts.get(attempts) ?? { attempts, rows: 0, succeeded: 0 };
    byAttempts.set(attempts, { attempts, rows: before.rows + rows, succeeded: before.succeeded + succeeded });
  }
  return [...byAttempts.values()].sort((a, b) => a.attempts - b.attempts);
}

/** The counts of all ledgers together. */
export function addRowCounts(counts: readonly RowCounts[]): RowCounts {
  const sum: RowCounts = { total: 0, succeeded: 0, failed: 0, not_sent: 0 };
  for (const { total, succeeded, failed, not_sent, reused } of counts) {
    sum.total += total;
    sum.succeeded += succeeded;
    sum.failed += failed;
    sum.not_sent += not_sent;
    if (reused !== undefined) sum.reused = (sum.reused ?? 0) + reused;
  }
  return sum;
}

/** How many answers the model gave in this run: those of former runs prove nothing of it. */
export function answeredHere({ succeeded, reused = 0 }: Pick<RowCounts, 'succeeded' | 'reused'>): number {
  return succeeded - reused;
}

/** The tokens of all ledgers together. */
export function addTokenCounts(counts: readonly TokenCounts[]): TokenCounts {
  return {
    input: counts.reduce((sum, { input }) => sum + input, 0),
    output: counts.reduce((sum, { output }) => sum + output, 0),
  };
}

/** The reasons of all ledgers together, the most frequent first, then by code; each keeps the first example. */
export function addReasons(reasons: readonly Reason[]): Reason[] {
  const byCode = new Map<string, Reason>();
  for (const reason of reasons) {
    const known = byCode.get(reason.error_code);
    byCode.set(reason.error_code, known ? { ...known, rows: known.rows + reason.rows } : reason);
  }
  return [...byCode.values()].sort((a, b) => b.rows - a.rows || (a.error_code < b.error_code ? -1 : 1));
}

/** The violations of all ledgers together, the most frequent first, then by property. */
export function addViolations(violations: readonly PropertyViolations[]): PropertyViolations[] {
  const byProperty = new Map<string, number>();
  for (const { property, answers } of violations) {
    byProperty.set(property, (byProperty.get(property) ?? 0) + answers);
  }
  return [...byProperty]
    .map(([property, answers]) => ({ property, answers }))
    .sort((a, b) => b.answers - a.answers || (a.property < b.property ? -1 : 1));
}

/** True where every row is in exactly one column of the ledger. */
export function isBalanced({ total, succeeded, failed, not_sent, reused = 0 }: RowCounts): boolean {
  return total === succeeded + failed + not_sent && reused <= succeeded;
}
