import type { PartView, PhaseView, WatchView } from '../../index.ts';
import { age, cell, count, usd } from '../views/format.ts';
import { leftText, rateText } from '../views/watch-lines.ts';
import { partsLegend, partsMap, toneOf } from './parts-map.ts';
import { bar, type Glyphs, type ScreenLine, type Span, span } from './screen-line.ts';
import { chosenPart, listedParts, type ScreenState } from './screen-state.ts';

/** The space of a screen. */
export interface ScreenSize {
  columns: number;
  rows: number;
  glyphs: Glyphs;
}

/** Columns of the names before what they name. */
const LABEL = 10;
/** Lines of the map of parts at most. */
const MAP_LINES = 3;
const MAX_WAITS = 2;
const MAX_FAILURES = 3;
/** Columns from which a line has room for what is less needed. */
const WIDE = 76;

const n = (value: number) => value.toLocaleString('en-US');

/** The page of the run: how far it is, its parts, why it waits, what failed, the newest answers. */
export function runPage(view: WatchView, state: ScreenState, size: ScreenSize): ScreenLine[] {
  const head = [
    ...headLines(view, size),
    ...view.phases.flatMap((phase) => phaseLine(phase, size)),
    ...mapLines(view, state, size),
    ...amountLines(view),
    ...dollarLine(view),
    ...noteLines(view),
  ];
  // What is left is for the lists, with a line above each.
  const free = Math.max(0, size.rows - head.length - 1);
  const wanted = Math.min(view.answers.length, 6);
  const forAnswers = Math.min(wanted, Math.max(1, Math.floor(free / 3)) - 1);
  const forParts = Math.min(view.parts.length, free - (forAnswers > 0 ? forAnswers + 1 : 0) - 1);
  return [
    ...head,
    ...(forParts > 0 ? partLines(view, state, { ...size, rows: forParts }) : []),
    ...(forAnswers > 0 ? answerLines(view, forAnswers, size) : []),
  ].slice(0, size.rows - 1);
}

/** Its name and where it stands, in its first lines. */
function headLines(view: WatchView, { columns, glyphs }: ScreenSize): ScreenLine[] {
  const { runId, condition, target, modelId, isSimulated, worker } = view;
  const facts = [modelId ?? '', `${target}${isSimulated ? ', simulated answers' : ''}`, worker ?? ''];
  const tone = view.hasEnded ? 'good' : worker === null ? 'bad' : 'busy';
  const where = worker === null && !view.hasEnded ? ': nobody is working on it' : '';
  return [
    [span(runId, 'strong'), span('  '), span(`${condition.replaceAll('_', ' ')}${where}`, tone)],
    [
      span(
        facts
          .filter((fact) => fact !== '')
          .slice(0, columns < WIDE ? 2 : 3)
          .join(` ${glyphs.dot} `),
        'dim',
      ),
    ],
  ];
}

function phaseLine(
  { phase, state, done, total, unit }: PhaseView,
  { columns, glyphs }: ScreenSize,
): ScreenLine[] {
  if (state === 'todo' && phase !== 'run') return [];
  if (state === 'done' && phase !== 'run' && phase !== 'prepare') return [];
  const width = Math.min(40, Math.max(8, columns - 46));
  const label = span(titled(phase).padEnd(LABEL), state === 'now' ? 'strong' : 'plain');
  if (total === null) return [[label, span(state === 'done' ? glyphs.done : 'under way')]];
  const share = total === 0 ? 0 : Math.floor((done / total) * 100);
  return [
    [
      label,
      ...bar(done, total, { width, glyphs }),
      span(` ${String(share).padStart(3)}%  ${n(done)} of ${n(total)} ${unit}`),
    ],
  ];
}

function mapLines(view: WatchView, state: ScreenState, { columns, rows, glyphs }: ScreenSize): ScreenLine[] {
  if (view.parts.length + view.unnamedParts === 0) return [];
  const lines = rows < 20 ? 1 : MAP_LINES;
  const chosen = chosenPart(view, state)?.partId;
  const map = partsMap(view, { width: Math.max(10, columns - LABEL), lines, glyphs, chosen });
  const label = (index: number) => span((index === 0 ? 'Parts' : '').padEnd(LABEL));
  return [
    ...map.map((line, index) => [label(index), ...line]),
    [span(''.padEnd(LABEL)), ...partsLegend(view, glyphs)],
  ];
}

function amountLines({ rows, recordsPerMinute, left, slots }: WatchView): ScreenLine[] {
  const pieces = [
    `${n(rows.succeeded)} of ${rows.total === null ? '?' : n(rows.total)} answered`,
    ...(rows.reused === undefined ? [] : [`${n(rows.reused)} of them reused`]),
    ...(rows.owed === 0 ? [] : [`${n(rows.owed)} to be sent again`]),
    ...(recordsPerMinute === null ? [] : [rateText(recordsPerMinute)]),
  ];
  return [
    [span('Rows'.padEnd(LABEL)), span(pieces.join(', '))],
    ...(slots === null || slots.heldByOthers === 0
      ? []
      : [
          [
            span('Slots'.padEnd(LABEL)),
            span(`${n(slots.heldByOthers)} of ${n(slots.atOnce)} are held by other jobs`, 'wait'),
          ] satisfies ScreenLine,
        ]),
    ...(left === null ? [] : [[span('Time'.padEnd(LABEL)), span(leftText(left))]]),
  ];
}

function dollarLine({ dollars }: WatchView): ScreenLine[] {
  const { isPaid, soFar, expected, most, cap } = dollars;
  const label = span('Dollars'.padEnd(LABEL));
  if (soFar === null) return [[label, span('no price of this model is known', 'dim')]];
  if (!isPaid) return [[label, span(`nothing is paid; ${usd(soFar)} had it been Bedrock’s`, 'dim')]];
  const pieces = [
    `${usd(soFar)} so far`,
    ...(expected === null ? [] : [`about ${usd(expected)} expected`]),
    ...(most === null ? [] : [`${usd(most)} with the longest answers`]),
    ...(cap === null ? [] : [`${usd(cap)} is the cap`]),
  ];
  return [[label, span(pieces.join(', '))]];
}

/** Why parts wait, what failed, what there is to know. */
function noteLines({ waits, failures, notices }: WatchView): ScreenLine[] {
  return [
    ...waits
      .slice(0, MAX_WAITS)
      .map(({ partIds, message, since }) => [
        span('Waiting'.padEnd(LABEL), 'wait'),
        span(`${count(partIds.length, 'part')} since ${timeText(since)}: ${message}`),
      ]),
    ...failures
      .slice(0, MAX_FAILURES)
      .map(({ error_code, rows, example_message }) => [
        span('Failed'.padEnd(LABEL), 'bad'),
        span(`${count(rows, 'row')}, ${error_code}: ${example_message}`),
      ]),
    ...notices.slice(0, 1).map((notice) => [span('Notice'.padEnd(LABEL), 'wait'), span(notice)]),
  ];
}

/** The parts around the chosen one, those under way first. */
function partLines(view: WatchView, state: ScreenState, size: ScreenSize): ScreenLine[] {
  const parts = listedParts(view);
  const chosen = chosenPart(view, state);
  const at = Math.max(
    0,
    parts.findIndex(({ partId }) => partId === chosen?.partId),
  );
  const from = Math.max(0, Math.min(at - Math.floor(size.rows / 2), parts.length - size.rows));
  return [
    [span(size.columns < WIDE ? 'Jobs' : 'Jobs: records done, a minute, age', 'dim')],
    ...parts.slice(from, from + size.rows).map((part) => partLine(part, part === chosen, size)),
  ];
}

function partLine(part: PartView, isChosen: boolean, { columns, glyphs }: ScreenSize): ScreenLine {
  const { partId, state, cell: of, done, records, job, waiting, attempt } = part;
  const width = Math.min(20, Math.max(6, columns - 60));
  const pieces: Span[] = [
    span(`${isChosen ? glyphs.chosen : ' '} ${partId.padEnd(8)}`, isChosen ? 'chosen' : 'plain'),
    span(` ${state.padEnd(10)} `, toneOf(of)),
    ...bar(part.rows === null ? done : 1, part.rows === null ? records : 1, { width, glyphs }),
    span(` ${n(done)} of ${n(records)}`),
  ];
  if (job?.perMinute != null) pieces.push(span(`  ${n(Math.round(job.perMinute))}/min`));
  if (job?.ageMs != null) pieces.push(span(`  ${age(job.ageMs)}`, 'dim'));
  if (attempt > 1) pieces.push(span(`  attempt ${attempt}`, 'wait'));
  if (waiting !== null && columns >= WIDE) pieces.push(span(`  ${cell(waiting.message, 60)}`, 'dim'));
  return pieces;
}

function answerLines(
  { answers, isSimulated }: WatchView,
  lines: number,
  { columns }: ScreenSize,
): ScreenLine[] {
  return [
    [span(`Newest answers${isSimulated ? ', simulated' : ''}`, 'dim')],
    ...answers
      .slice(0, lines)
      .map(({ recordId, text, errorCode }) => [
        span(`  ${recordId}  `, 'dim'),
        span(
          cell(errorCode === null ? text : `${errorCode}: ${text}`, columns),
          errorCode === null ? 'plain' : 'bad',
        ),
      ]),
  ];
}

/** `Prepare`, of `prepare`. */
function titled(phase: PhaseView['phase']): string {
  return phase === 'run' ? 'Run jobs' : `${phase.charAt(0).toUpperCase()}${phase.slice(1)}`;
}

/** `2026-01-01 12:00Z`, of an ISO time. */
export function timeText(since: string): string {
  return since.replace(/^(\S{10})T(\d\d:\d\d).*$/, '$1 $2Z');
}
