import { RunBusyError } from '../core/errors.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { type ProcessIdentity, type ProcessPresence, presenceOf } from '../store/process-identity.ts';
import { type Claim, type ClaimRecord, claim, holderOf, RESTART_SILENCE_MS, SILENCE_MS } from './claim.ts';
import type { RunLayout } from './run-layout.ts';

/** Makes this process the only one at work on a run; throws RunBusyError where another one is. */
export async function lockRun({ runId, layout }: LockedRun, store: ObjectStore): Promise<Claim> {
  const result = await claim(store, layout.lock);
  if (result.kind === 'held') return result.claim;
  const { process, since } = result.by;
  const who = `process ${process.pid} on ${process.host}, since ${since}.`;
  const place = store.localPath?.(result.uri) ?? result.uri;
  throw new RunBusyError(
    `Another process is working on run "${runId}": ${who}${await doubtAbout(result.by, place)}`,
  );
}

/** A run to be locked. */
export interface LockedRun {
  runId: string;
  layout: RunLayout;
}

/** The process at work on a run; undefined where there is none. */
export function workerOf(layout: RunLayout, store: ObjectStore): Promise<ClaimRecord | undefined> {
  return holderOf(store, layout.lock);
}

/** Why a holder may never let go, and what to do about it; empty where it is simply at work. */
export async function doubtAbout({ process, seen_at }: ClaimRecord, place: string): Promise<string> {
  const presence = await presenceOf(process);
  switch (presence) {
    case 'alive':
    case 'gone':
      return '';
    case 'stopped':
      return ` ${stoppedAdvice(process)}`;
    case 'restarted':
    case 'elsewhere':
      return ` ${whereabouts(presence)} It was last seen at ${seen_at}. If it has died since, the run is free again ${silenceText(presence)} after that, or at once if you delete ${place}.`;
  }
}

/** How to get a process going again that does nothing. */
export function stoppedAdvice({ pid }: ProcessIdentity): string {
  return `That process is suspended (as by Ctrl-Z) and does not answer. Resume it with fg or kill -CONT ${pid}, or end it with kill -KILL ${pid}.`;
}

function whereabouts(presence: Extract<ProcessPresence, 'restarted' | 'elsewhere'>): string {
  return presence === 'elsewhere'
    ? 'It is on another machine or in another container, where it cannot be seen from here.'
    : 'It started before this machine was booted, or is on another machine with the same name.';
}

function silenceText(presence: Extract<ProcessPresence, 'restarted' | 'elsewhere'>): string {
  const minutes = (presence === 'elsewhere' ? SILENCE_MS : RESTART_SILENCE_MS) / 60_000;
  return minutes === 1 ? 'a minute' : `${minutes} minutes`;
}
