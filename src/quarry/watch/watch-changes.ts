import { isDeepStrictEqual } from 'node:util';
import type { WatchEvent } from './watch-event.ts';
import type { PartView } from './watch-parts.ts';
import type { WatchView } from './watch-view.ts';

type EventOf<K extends WatchEvent['event']> = Extract<WatchEvent, { event: K }>;
type Body<K extends WatchEvent['event']> = Omit<EventOf<K>, 'at' | 'run_id'>;

/** Tells of one view after the other what is new in it. */
export type WatchTeller = (view: WatchView) => WatchEvent[];

/** A teller that tells of states at once, and of numbers that always grow every so many milliseconds. */
export function createWatchTeller(countsEveryMs: number): WatchTeller {
  let before: WatchView | undefined;
  let counted: WatchView | undefined;
  return (view) => {
    const sinceMs = counted === undefined ? undefined : Date.parse(view.at) - Date.parse(counted.at);
    const isDue = sinceMs === undefined || sinceMs >= countsEveryMs || view.hasEnded;
    const events = changesOf(view, { before, counts: isDue ? { since: counted } : undefined });
    before = view;
    if (isDue) counted = view;
    return events;
  };
}

/** What was told before. */
interface Told {
  /** The view before; undefined where this is the first one. */
  before: WatchView | undefined;
  /** Where numbers are told: those of which view were told the last time. */
  counts: { since: WatchView | undefined } | undefined;
}

/** What is new in a view; all of it where there was none before. */
function changesOf(now: WatchView, { before, counts }: Told): WatchEvent[] {
  const run = runBody(now);
  const isNew = before === undefined || !isDeepStrictEqual(run, runBody(before));
  const bodies = [
    ...(isNew ? [run] : []),
    ...now.notices.filter((text) => before?.notices.includes(text) !== true).map(noticeBody),
    ...partBodies(now, { before, counts }),
    ...failureBodies(before, now),
    ...answerBodies(before, now),
    ...(counts !== undefined && isFurther(counts.since, now) ? [progressBody(now)] : []),
  ];
  return bodies.map(({ event, ...rest }): WatchEvent => ({ event, ...headOf(now), ...rest }) as WatchEvent);
}

/** The last event of a view after which nobody looks any more. */
export function endOf(view: WatchView): WatchEvent {
  const { total, succeeded, unanswered } = view.rows;
  return {
    event: 'end',
    ...headOf(view),
    status: view.condition,
    rows: { total, succeeded, unanswered },
    usd: { billed: view.dollars.isPaid, so_far: view.dollars.soFar },
  };
}

function headOf({ at, runId: run_id }: WatchView) {
  return { at, run_id };
}

function runBody(view: WatchView): Body<'run'> {
  const { rows, parts, unnamedParts } = view;
  return {
    event: 'run',
    status: view.condition,
    target: view.target,
    worker: view.worker,
    model_id: view.modelId,
    rows: rows.total,
    parts: view.modelId === null ? null : parts.length + unnamedParts,
    simulated: view.isSimulated,
    billed: view.dollars.isPaid,
  };
}

function noticeBody(message: string): Body<'notice'> {
  return { event: 'notice', message };
}

function partBodies(now: WatchView, { before, counts }: Told): Body<'part'>[] {
  const known = new Map(before?.parts.map((part) => [part.partId, part]));
  const counted = new Map(counts?.since?.parts.map((part) => [part.partId, part.done]));
  return now.parts
    .filter((part) => {
      const done = counted.get(part.partId);
      const isFurther = part.rows === null && done !== undefined && done !== part.done;
      return hasMoved(known.get(part.partId), part) || isFurther;
    })
    .map(partBody);
}

function hasMoved(before: PartView | undefined, now: PartView): boolean {
  if (before === undefined) return true;
  const stateOf = ({ state, wave, waiting, job }: PartView) =>
    [state, wave, waiting?.error, waiting?.since, job?.arn, job?.status].join(' ');
  return stateOf(before) !== stateOf(now);
}

function partBody({
  partId,
  wave,
  attempt,
  state,
  records,
  done,
  waiting,
  job,
  rows,
}: PartView): Body<'part'> {
  return {
    event: 'part',
    part_id: partId,
    wave,
    attempt,
    state,
    records,
    done,
    waiting,
    job: job && {
      arn: job.arn,
      status: job.status,
      age_seconds: job.ageMs === null ? null : Math.floor(job.ageMs / 1000),
      records_per_minute: job.perMinute === null ? null : rounded(job.perMinute),
    },
    rows,
  };
}

function failureBodies(before: WatchView | undefined, now: WatchView): Body<'failure'>[] {
  const rowsOf = (code: string) => before?.failures.find(({ error_code }) => error_code === code)?.rows ?? 0;
  return now.failures
    .filter(({ error_code, rows }) => rows > rowsOf(error_code))
    .map((reason) => ({ event: 'failure', ...reason }));
}

/** The newest last, as they came. */
function answerBodies(before: WatchView | undefined, { answers, isSimulated }: WatchView): Body<'answer'>[] {
  const known = new Set(before?.answers);
  return answers
    .filter((answer) => !known.has(answer))
    .map(
      ({ partId, recordId, asked, text, errorCode }): Body<'answer'> => ({
        event: 'answer',
        part_id: partId,
        record_id: recordId,
        asked,
        answer: errorCode === null ? text : null,
        error_code: errorCode,
        error_message: errorCode === null ? null : text,
        simulated: isSimulated,
      }),
    )
    .reverse();
}

function progressBody(view: WatchView): Body<'progress'> {
  const { phases, rows, records, left, dollars, tokens, parts, unnamedParts } = view;
  const states = new Map<string, number>(unnamedParts === 0 ? [] : [['planned', unnamedParts]]);
  for (const { state } of parts) states.set(state, (states.get(state) ?? 0) + 1);
  return {
    event: 'progress',
    phases: phases.map((phase) => ({ ...phase })),
    rows: { ...rows, reused: rows.reused ?? null },
    records,
    records_per_minute: view.recordsPerMinute === null ? null : rounded(view.recordsPerMinute),
    left: left && {
      low_seconds: left.lowSeconds,
      high_seconds: left.highSeconds,
      basis: left.basis,
      jobs: left.jobs,
    },
    slots: view.slots && { at_once: view.slots.atOnce, held_by_others: view.slots.heldByOthers },
    usd: {
      billed: dollars.isPaid,
      so_far: dollars.soFar,
      expected: dollars.expected,
      most: dollars.most,
      cap: dollars.cap,
    },
    tokens,
    parts: Object.fromEntries(states),
  };
}

/** True where anything has moved that is not the clock. */
function isFurther(before: WatchView | undefined, now: WatchView): boolean {
  if (before === undefined) return true;
  const standOf = (view: WatchView) => {
    const { phases, rows, records, dollars, tokens } = view;
    return [phases, rows, records, dollars, tokens, view.parts.map(({ state }) => state)];
  };
  return !isDeepStrictEqual(standOf(before), standOf(now));
}

function rounded(rate: number): number {
  return Math.round(rate * 10) / 10;
}
