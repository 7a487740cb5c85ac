/** How many records were done at a moment: of the run, and of each job under way by its part. */
export interface PaceSample {
  atMs: number;
  done: number;
  ofParts: Readonly<Record<string, number>>;
}

/** Milliseconds that a rate is taken over: Bedrock counts a job's records now and then only. */
const WINDOW_MS = 10 * 60_000;
/** Samples that are kept of it. */
const MAX_SAMPLES = 120;
/** Milliseconds of which a rate says nothing yet. */
const MIN_SPAN_MS = 2_000;
/** Milliseconds after which nothing done means that nothing is being done. */
const STANDSTILL_MS = 60_000;

/** The samples with one more; those that a rate is not taken over any more are let go of. */
export function addSample(samples: readonly PaceSample[], sample: PaceSample): PaceSample[] {
  const kept = samples.filter(({ atMs }) => atMs > sample.atMs - WINDOW_MS);
  // Every other one of the older half says as much.
  const thinned =
    kept.length < MAX_SAMPLES ? kept : kept.filter((_, index) => index % 2 === 0 || index > MAX_SAMPLES / 2);
  return [...thinned, sample];
}

/** Records a minute lately; null where that is not known yet. */
export function recordsPerMinute(samples: readonly PaceSample[]): number | null {
  return rateOf(samples.map(({ atMs, done }) => ({ atMs, done })));
}

/** The same of one part's job. */
export function partPerMinute(samples: readonly PaceSample[], partId: string): number | null {
  return rateOf(
    samples.flatMap(({ atMs, ofParts }) => {
      const done = ofParts[partId];
      return done === undefined ? [] : [{ atMs, done }];
    }),
  );
}

function rateOf(points: readonly { atMs: number; done: number }[]): number | null {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return null;
  const spanMs = last.atMs - first.atMs;
  const done = last.done - first.done;
  if (spanMs < MIN_SPAN_MS || done < 0 || (done === 0 && spanMs < STANDSTILL_MS)) return null;
  return done / (spanMs / 60_000);
}
