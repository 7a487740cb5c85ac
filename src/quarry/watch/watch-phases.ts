import type { RunTotals } from '../../runs/run-snapshot.ts';
import type { SeenRun } from './watch-view.ts';

/** One of a run's phases. */
export interface PhaseView {
  phase: 'plan' | 'prepare' | 'run' | 'merge' | 'summarize';
  state: 'todo' | 'now' | 'done';
  done: number;
  /** Null where there is nothing to count. */
  total: number | null;
  unit: 'bytes' | 'rows' | 'records' | 'parts';
}

const ORDER = ['plan', 'prepare', 'run', 'merge', 'summarize'] as const;

/** Every phase of a run, with how far it is. */
export function phasesOf(
  seen: Pick<SeenRun, 'snapshot' | 'summary' | 'merging'>,
  { rows, records }: { rows: RunTotals['rows']; records: { done: number; total: number } },
): PhaseView[] {
  const { snapshot, summary, merging } = seen;
  const now = summary === undefined ? ORDER.indexOf(presentOf(seen)) : ORDER.length;
  const stateOf = (phase: PhaseView['phase']): PhaseView['state'] => {
    const place = ORDER.indexOf(phase);
    if (place === now) return 'now';
    return place < now ? 'done' : 'todo';
  };
  const files = [...Object.values(snapshot.downloads), ...Object.values(snapshot.uploads)];
  const bytes = (key: 'doneBytes' | 'totalBytes') => files.reduce((sum, file) => sum + file[key], 0);
  // Working files of a run may be gone by the time that it is taken up again: prepared it was all the same.
  const prepared = stateOf('prepare') === 'done' ? (rows.total ?? 0) : rows.prepared;
  return [
    {
      phase: 'plan',
      state: stateOf('plan'),
      done: bytes('doneBytes'),
      total: files.length === 0 ? null : bytes('totalBytes'),
      unit: 'bytes',
    },
    { phase: 'prepare', state: stateOf('prepare'), done: prepared, total: rows.total, unit: 'rows' },
    { phase: 'run', state: stateOf('run'), ...records, unit: 'records' },
    {
      phase: 'merge',
      state: stateOf('merge'),
      done: merging?.done ?? 0,
      total: merging?.total ?? null,
      unit: 'parts',
    },
    { phase: 'summarize', state: stateOf('summarize'), done: 0, total: null, unit: 'parts' },
  ];
}

/** The phase of a run that has not ended. */
function presentOf({ snapshot, merging }: Pick<SeenRun, 'snapshot' | 'merging'>): PhaseView['phase'] {
  const { phase, plan, waves } = snapshot;
  if (merging !== undefined) return merging.done < merging.total ? 'merge' : 'summarize';
  if (plan !== null && phase === 'plan') return 'prepare';
  return phase === 'run' && waves === 0 ? 'prepare' : phase;
}
