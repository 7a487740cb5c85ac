import wrapAnsi from 'wrap-ansi';
import type { PartView, ShownAnswer, WatchView } from '../../index.ts';
import { age, cell, printable } from '../views/format.ts';
import { rateText } from '../views/watch-lines.ts';
import { type ScreenSize, timeText } from './run-page.ts';
import { type ScreenLine, span, type Tone } from './screen-line.ts';
import { chosenAnswer, type ScreenState } from './screen-state.ts';

/** The page of one part: its job, why it waits, what is to be said of it, and its answers so far. */
export function partPage(view: WatchView, part: PartView, size: ScreenSize): ScreenLine[] {
  const { partId, state, wave, attempt, mode, records, done, job, waiting, messages } = part;
  const answers = view.answers.filter((answer) => answer.partId === partId).slice(0, 10);
  const facts = [
    `${state}, ${done.toLocaleString('en-US')} of ${records.toLocaleString('en-US')} records`,
    ...(wave === null ? [] : [`wave ${wave}, attempt ${attempt}`]),
    ...(mode === 'on_demand' ? ['on demand'] : []),
  ];
  return [
    [span(`Part ${partId}`, 'strong'), span(`  ${facts.join(', ')}`)],
    ...(job === null ? [] : jobLines(job, size)),
    ...(waiting === null
      ? []
      : wrapped(
          `Waits since ${timeText(waiting.since)}. ${waiting.message} (${waiting.error})`,
          size,
          'wait',
        )),
    ...messages.flatMap((message) => wrapped(message, size)),
    ...(answers.length === 0 ? [] : [[], [span('Newest answers of it', 'dim')]]),
    ...answers.map((answer) => answerLine(answer, size)),
  ];
}

function jobLines(
  { arn, status, ageMs, perMinute }: NonNullable<PartView['job']>,
  size: ScreenSize,
): ScreenLine[] {
  const facts = [
    `Job ${status}`,
    ...(ageMs === null ? [] : [`${age(ageMs)} old`]),
    ...(perMinute === null ? [] : [rateText(perMinute)]),
  ];
  return [...wrapped(arn, size, 'dim'), [span(facts.join(', '))]];
}

/** The page of the newest answers, the chosen one marked. */
export function answersPage(view: WatchView, state: ScreenState, size: ScreenSize): ScreenLine[] {
  const { answers, isSimulated } = view;
  const chosen = chosenAnswer(view, state);
  const lines = size.rows - 3;
  const at = Math.max(0, chosen === undefined ? 0 : answers.indexOf(chosen));
  const from = Math.max(0, Math.min(at - Math.floor(lines / 2), answers.length - lines));
  return [
    [span('Newest answers', 'strong'), span(isSimulated ? ', of a simulated model' : '')],
    ...(answers.length === 0 ? [[span('No job has written any yet.', 'dim')]] : []),
    ...answers
      .slice(from, from + lines)
      .map((answer) => [
        span(answer === chosen ? `${size.glyphs.chosen} ` : '  ', 'chosen'),
        ...answerLine(answer, size),
      ]),
  ];
}

/** The page of one answer, with what it was asked. */
export function answerPage(
  { isSimulated }: WatchView,
  { partId, recordId, asked, text, errorCode }: ShownAnswer,
  size: ScreenSize,
): ScreenLine[] {
  return [
    [span(`${recordId}`, 'strong'), span(` of part ${partId}`)],
    ...(asked === '' ? [] : [[], [span('Asked', 'dim')], ...wrapped(asked, size)]),
    [],
    [span(errorCode === null ? `Answered${isSimulated ? ', simulated' : ''}` : `Error ${errorCode}`, 'dim')],
    ...wrapped(text, size, errorCode === null ? 'plain' : 'bad'),
  ];
}

function answerLine({ recordId, text, errorCode }: ShownAnswer, { columns }: ScreenSize): ScreenLine {
  const shown = cell(errorCode === null ? text : `${errorCode}: ${text}`, columns);
  return [span(`${recordId}  `, 'dim'), span(shown, errorCode === null ? 'plain' : 'bad')];
}

/** A text in as many lines as it needs. */
function wrapped(text: string, { columns }: ScreenSize, tone: Tone = 'plain'): ScreenLine[] {
  const lines = wrapAnsi(printable(text).replaceAll('\t', '  '), columns, { hard: true, trim: false });
  return lines.split('\n').map((line) => [span(line, tone)]);
}
