import type { Clock } from '../../core/clock.ts';
import type { OnDemandProgress } from '../../core/run/run-event.ts';

/** Counts the records of a part that is run on demand, and tells of them now and then. */
export interface OnDemandCounter {
  /** One more record has an answer, or an error. `isNew`: asked for by this call of the step. */
  count(outcome: 'answered' | 'failed', isNew: boolean): void;
}

/** Milliseconds between two tellings. */
const TELL_EVERY_MS = 5000;

/** A counter of a part's records. */
export function createOnDemandCounter(
  records: number,
  clock: Pick<Clock, 'now'>,
  tell: (progress: OnDemandProgress) => void,
): OnDemandCounter {
  const startedMs = clock.now();
  const counts = { answered: 0, failed: 0, asked: 0 };
  let toldMs = startedMs;
  return {
    count: (outcome, isNew) => {
      counts[outcome] += 1;
      if (isNew && outcome === 'answered') counts.asked += 1;
      const nowMs = clock.now();
      const { answered, failed, asked } = counts;
      if (nowMs - toldMs < TELL_EVERY_MS && answered + failed < records) return;
      toldMs = nowMs;
      const perSecond = nowMs === startedMs ? 0 : asked / ((nowMs - startedMs) / 1000);
      tell({ records, answered, failed, perSecond });
    },
  };
}
