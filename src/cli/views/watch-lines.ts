import type { TimeLeft, WatchEvent } from '../../index.ts';
import { cell, count, duration, printable, usd } from './format.ts';
import { waitingText } from './run-view.ts';

type EventOf<K extends WatchEvent['event']> = Extract<WatchEvent, { event: K }>;

/** Parts that are told of one by one; where more have changed at once, they are counted. */
const MAX_PARTS = 8;
/** Milliseconds after which a job that has not begun is worth a line. */
const LONG_WAIT_MS = 60_000;
/** Waits that every job has. */
const USUAL_WAITS = ['Queued', 'Validating'];
/** Characters of an answer. */
const MAX_ANSWER = 120;

/** The events of one look as lines for a log, each with its time in UTC. */
export function watchLines(events: readonly WatchEvent[]): string[] {
  const parts = events.filter((event) => event.event === 'part');
  const answers = events.filter((event) => event.event === 'answer');
  const lines = events.flatMap((event) => {
    switch (event.event) {
      case 'part':
        return event === parts[0] ? partLines(parts) : [];
      case 'answer':
        return event === answers.at(-1) ? [answerLine(event)] : [];
      default:
        return lineOf(event);
    }
  });
  const time = events[0]?.at.replace(/\.\d+Z$/, 'Z') ?? '';
  return lines.map((line) => `${time} ${printable(line).replaceAll('\n', ' ')}`);
}

function lineOf(event: Exclude<WatchEvent, { event: 'part' | 'answer' }>): string[] {
  switch (event.event) {
    case 'run':
      return [runLine(event)];
    case 'progress':
      return [progressLine(event)];
    case 'failure':
      return [
        `${event.error_code}: ${count(event.rows, 'row')}, such as ${event.example_record_id}: ${event.example_message}`,
      ];
    case 'notice':
      return [event.message];
    case 'end':
      return [endLine(event)];
  }
}

function runLine({ run_id, status, worker, rows, parts }: EventOf<'run'>): string {
  const size = rows === null ? '' : `, ${count(rows, 'row')} in ${count(parts ?? 0, 'part')}`;
  return `Run ${run_id}: ${status}${size}; ${worker ?? 'nobody is working on it'}`;
}

function partLines(parts: readonly EventOf<'part'>[]): string[] {
  const waits = parts.flatMap((part) => (isWorthTelling(part) ? [part] : []));
  const moved = parts.filter(({ wave }) => wave !== null);
  const states = [...Map.groupBy(moved, ({ state }) => state)].map(
    ([state, of]) => `${of.length.toLocaleString('en-US')} ${state}`,
  );
  return [
    ...(moved.length > MAX_PARTS
      ? [`Parts: ${states.join(', ')}`]
      : moved.map((part) => `Part ${part.part_id}: ${partText(part)}`)),
    ...[...Map.groupBy(waits, ({ waiting }) => waiting?.error)].flatMap(([, of]) => {
      const [first] = of;
      if (first?.waiting == null) return [];
      return [`Waiting, ${count(of.length, 'part')}, ${first.part_id}: ${waitingText(first.waiting)}`];
    }),
  ];
}

function isWorthTelling({ at, waiting }: EventOf<'part'>): boolean {
  if (waiting === null) return false;
  return !USUAL_WAITS.includes(waiting.error) || Date.parse(at) - Date.parse(waiting.since) > LONG_WAIT_MS;
}

function partText({ state, records, done, rows, attempt }: EventOf<'part'>): string {
  const again = attempt > 1 ? `, attempt ${attempt}` : '';
  if (rows !== null) {
    return `${state}, ${rows.succeeded.toLocaleString('en-US')} of ${count(rows.total, 'row')} answered${again}`;
  }
  return `${state}, ${done.toLocaleString('en-US')} of ${count(records, 'record')}${again}`;
}

function progressLine(event: EventOf<'progress'>): string {
  const { phases, rows, records, records_per_minute, left, usd: dollars } = event;
  const now = phases.find(({ state }) => state === 'now')?.phase ?? 'done';
  const n = (value: number) => value.toLocaleString('en-US');
  return [
    `${now}: ${n(records.done)} of ${count(records.total, 'record')}`,
    `${n(rows.succeeded)} of ${count(rows.total ?? 0, 'row')} answered`,
    ...(rows.reused === null ? [] : [`${n(rows.reused)} of them reused`]),
    ...(records_per_minute === null ? [] : [`${rateText(records_per_minute)}`]),
    ...(left === null ? [] : [leftText(toTimeLeft(left))]),
    ...dollarsText(dollars),
  ].join(', ');
}

function toTimeLeft(left: NonNullable<EventOf<'progress'>['left']>): TimeLeft {
  const { low_seconds: lowSeconds, high_seconds: highSeconds, basis, jobs } = left;
  return { lowSeconds, highSeconds, basis, jobs };
}

function answerLine({ record_id, answer, error_code, error_message, simulated }: EventOf<'answer'>): string {
  const text = cell(answer ?? `${error_code}: ${error_message}`, MAX_ANSWER);
  return `Newest answer${simulated ? ' (simulated)' : ''}, ${record_id}: ${text}`;
}

function endLine({ status, rows, usd: dollars }: EventOf<'end'>): string {
  const n = (value: number) => value.toLocaleString('en-US');
  return [
    `Ended as ${status}: ${n(rows.succeeded)} of ${count(rows.total ?? 0, 'row')} answered`,
    `${n(rows.unanswered)} not`,
    ...dollarsText(dollars),
  ].join(', ');
}

function dollarsText({
  billed,
  so_far,
  expected = null,
  cap = null,
}: Pick<EventOf<'progress'>['usd'], 'billed' | 'so_far'> & Partial<EventOf<'progress'>['usd']>): string[] {
  if (so_far === null) return [];
  if (!billed) return [`nothing paid, ${usd(so_far)} had it been Bedrock’s`];
  const whole = expected === null ? '' : ` of about ${usd(expected)} expected`;
  return [`${usd(so_far)} so far${whole}${cap === null ? '' : `, ${usd(cap)} is the cap`}`];
}

/** `1,234 records a minute`. */
export function rateText(perMinute: number): string {
  const rate = perMinute >= 10 ? Math.round(perMinute) : Math.round(perMinute * 10) / 10;
  return `${rate.toLocaleString('en-US')} records a minute`;
}

/** `2 h 7 min to 3 h 1 min left, by 3 finished jobs`. */
export function leftText({ lowSeconds, highSeconds, basis, jobs }: TimeLeft): string {
  const [low, high] = [shortDuration(lowSeconds), shortDuration(highSeconds)];
  return `${low === high ? low : `${low} to ${high}`} left, by ${basisText(basis, jobs)}`;
}

function basisText(basis: TimeLeft['basis'], jobs: number): string {
  switch (basis) {
    case 'finished_jobs':
      return count(jobs, 'finished job');
    case 'running_jobs':
      return count(jobs, 'running job');
    case 'usual_pace':
      return 'a usual job’s pace';
  }
}

function shortDuration(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  const text = duration(seconds * 1000);
  return seconds < 600 ? text.replace(/ 0 s$/, '') : text.replace(/ \d+ s$/, '');
}
