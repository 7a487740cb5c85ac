import { z } from 'zod';

/** Why a run ends before every row has had its attempts. */
export const StopReason = z.enum(['systematic_fault', 'budget', 'pilot', 'cancelled']);
export type StopReason = z.infer<typeof StopReason>;

/** `stop.json`: from the moment that it is there, nothing more is sent. */
export const RunStop = z.object({
  reason: StopReason,
  /** What is wrong, and what to do. */
  message: z.string(),
});
export type RunStop = z.infer<typeof RunStop>;
RunStop.register(z.globalRegistry, {
  title: 'the reason why a run was stopped',
  mend: 'Delete it and start the run again: it continues where it stopped.',
});

/** `failure.json`: what broke a run; there until somebody is working on it again. */
export const RunFailure = z.object({ error: z.string(), message: z.string(), failed_at: z.string() });
export type RunFailure = z.infer<typeof RunFailure>;
RunFailure.register(z.globalRegistry, { title: 'the word of what broke a run' });

/** `resumed.json`: a stopped run was started again after this wave; faults up to it are not held against it again. */
export const RunResumed = z.object({
  wave: z.int().min(0),
  /** True where a systematic fault had stopped it, which is mended now. */
  fault: z.literal(true).optional(),
  /** Parts whose paid answers cannot be read and have been given up: their records are sent again. */
  given_up: z.array(z.string()).optional(),
});
export type RunResumed = z.infer<typeof RunResumed>;
RunResumed.register(z.globalRegistry, { title: 'the word that a run was taken up again' });
