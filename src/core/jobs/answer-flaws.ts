import { z } from 'zod';
import { REFUSED_STOP_REASONS, TRUNCATED_STOP_REASONS } from './retry-policy.ts';

const Count = z.int().min(0);

/** What may be wrong with an answer that is one: cut off, refused or filtered, or without any text. */
export const AnswerFlaw = z.enum(['truncated', 'refused', 'empty'], 'use truncated, refused or empty');
export type AnswerFlaw = z.infer<typeof AnswerFlaw>;

/** How many answers ended for a reason, as the model told it, and how many of those have nothing but white space. */
export const StopReasonCounts = z.object({ stop_reason: z.string().nullable(), rows: Count, empty: Count });
export type StopReasonCounts = z.infer<typeof StopReasonCounts>;

/** How many answers have each flaw. An answer is counted once: one that was cut off before any text is truncated. */
export const FlawCounts = z.record(AnswerFlaw, Count);
export type FlawCounts = z.infer<typeof FlawCounts>;

/** The counts of all parts together, the most frequent first. */
export function addStopReasons(counts: readonly StopReasonCounts[]): StopReasonCounts[] {
  const byReason = new Map<string | null, StopReasonCounts>();
  for (const { stop_reason, rows, empty } of counts) {
    const known = byReason.get(stop_reason) ?? { stop_reason, rows: 0, empty: 0 };
    byReason.set(stop_reason, { stop_reason, rows: known.rows + rows, empty: known.empty + empty });
  }
  return [...byReason.values()].sort(
    (a, b) => b.rows - a.rows || ((a.stop_reason ?? '') < (b.stop_reason ?? '') ? -1 : 1),
  );
}

/** How many of these answers have a flaw, and which. */
export function countFlaws(counts: readonly StopReasonCounts[]): FlawCounts {
  const flaws: FlawCounts = { truncated: 0, refused: 0, empty: 0 };
  for (const { stop_reason, rows, empty } of counts) {
    const reason = stop_reason?.toLowerCase() ?? '';
    if (TRUNCATED_STOP_REASONS.includes(reason)) flaws.truncated += rows;
    else if (REFUSED_STOP_REASONS.includes(reason)) flaws.refused += rows;
    else flaws.empty += empty;
  }
  return flaws;
}

/** The flaws that a run input counts as failures; none where it names none. */
export function failOnOf({ fail_on }: { fail_on?: unknown }): AnswerFlaw[] {
  return z.array(AnswerFlaw).safeParse(fail_on).data ?? [];
}

/** How many rows have not what was asked for: no answer, or one with a flaw that counts as none. */
export function countUnwanted(
  { rows, flawed }: { rows: { total: number; succeeded: number }; flawed?: FlawCounts | undefined },
  failOn: readonly AnswerFlaw[],
): number {
  const flaws = new Set(failOn);
  return [...flaws].reduce((sum, flaw) => sum + (flawed?.[flaw] ?? 0), rows.total - rows.succeeded);
}
