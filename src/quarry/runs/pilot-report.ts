import type { PreparedPart } from '../../core/plan/part.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import type { RunSummary } from '../../core/run/summary.ts';
import { costUsd, priceOfRun } from '../../models/catalog/prices.ts';

/** What a pilot has shown, which was sent and paid for. */
export interface PilotReport {
  /** Records that were sent, and answers that came. */
  records: number;
  answers: number;
  input_tokens: number;
  output_tokens: number;
  /** Null where no price of the model is known. */
  cost_usd: number | null;
  /** What the whole run is expected to take, pilot included; null where the pilot has no answer. */
  whole: { input_tokens: number; output_tokens: number; usd: number | null } | null;
}

/** A run as its pilot has left it. */
export interface PilotRun {
  plan: Pick<RunPlan, 'variants' | 'input' | 'min_records_per_job' | 'max_attempts'>;
  summary: Pick<RunSummary, 'rows' | 'tokens' | 'cost_usd'>;
  /** Every part of the dataset, the pilot among them. */
  parts: readonly PreparedPart[];
  /** Ids of the parts that were sent. */
  sent: ReadonlySet<string>;
}

/**
 * What a whole run is expected to take by its pilot: input by the bytes of the other records, which are known, answers by their
 * number. Records without an answer are sent again, as often as the pilot's.
 */
export function reportPilot({ plan, summary, parts, sent }: PilotRun): PilotReport {
  const { tokens, cost_usd } = summary;
  const ofPilot = sizeOf(parts.filter(({ part_id }) => sent.has(part_id)));
  const answers = summary.rows.succeeded;
  const seen = {
    records: ofPilot.records,
    answers,
    input_tokens: tokens.input,
    output_tokens: tokens.output,
    cost_usd,
  };
  if (answers === 0) return { ...seen, whole: null };
  const again = Math.min(plan.max_attempts, Math.max(1, ofPilot.records / answers));
  const price = priceOfRun(plan);
  const whole = { input_tokens: tokens.input, output_tokens: tokens.output, usd: cost_usd };
  for (const part of parts) {
    if (sent.has(part.part_id)) continue;
    const input = (again * part.bytes * tokens.input) / Math.max(1, ofPilot.bytes);
    const output = (again * part.records * tokens.output) / ofPilot.records;
    whole.input_tokens += input;
    whole.output_tokens += output;
    const rate = part.records < plan.min_records_per_job ? price?.on_demand : price?.batch;
    whole.usd =
      whole.usd === null || rate === undefined ? null : whole.usd + costUsd(rate, { input, output });
  }
  const { input_tokens, output_tokens, usd } = whole;
  return {
    ...seen,
    whole: { input_tokens: Math.round(input_tokens), output_tokens: Math.round(output_tokens), usd },
  };
}

function sizeOf(parts: readonly PreparedPart[]): { records: number; bytes: number } {
  return {
    records: parts.reduce((sum, { records }) => sum + records, 0),
    bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
