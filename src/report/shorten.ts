import type { RunSummary } from '../core/run/summary.ts';
import type { ReportText, RunReport } from './run-report.ts';

/** Bytes of the data in a page; with its script it stays below 2 MB. */
const MAX_BYTES = 1_200_000;
/** Entries of a list of the summary. */
const MAX_ENTRIES = 50;
/** Characters of a text of the run input, such as a prompt template. */
const MAX_INPUT_CHARACTERS = 20_000;
/** Characters of a message. */
const MAX_MESSAGE_CHARACTERS = 1_000;

/** A report that fits its page: of long lists the beginning, of long texts so much that all rows have some. */
export function shorten(report: RunReport): RunReport {
  const short: RunReport = {
    ...report,
    summary: shortSummary(report.summary),
    timeline: {
      ...report.timeline,
      jobs: report.timeline.jobs.map((job) => ({
        ...job,
        message: job.message === null ? null : start(job.message),
      })),
    },
  };
  let characters = Math.max(0, ...report.rows.flatMap(textsOf).map(({ text }) => text.length));
  let fitting = short;
  while (characters > 1 && Buffer.byteLength(JSON.stringify(fitting)) > MAX_BYTES) {
    characters = Math.floor(characters / 2);
    const most = characters;
    fitting = {
      ...short,
      rows: short.rows.map((row) => ({
        ...row,
        prompt: cut(row.prompt, most),
        answer: cut(row.answer, most),
        error_message: cut(row.error_message, most),
      })),
    };
  }
  return fitting;
}

function textsOf({ prompt, answer, error_message }: RunReport['rows'][number]): ReportText[] {
  return [prompt, answer, error_message].filter((text) => text !== null);
}

function cut(text: ReportText | null, most: number): ReportText | null {
  if (text === null) return null;
  const characters = [...text.text];
  if (characters.length <= most) return text;
  return { text: characters.slice(0, most).join(''), cut: text.cut + characters.length - most };
}

function shortSummary(summary: RunSummary): RunSummary {
  return {
    ...summary,
    output_uris: summary.output_uris.slice(0, MAX_ENTRIES),
    ...(summary.account === undefined ? {} : { account: summary.account.slice(0, MAX_ENTRIES) }),
    dataset_files: summary.dataset_files.slice(0, MAX_ENTRIES),
    notes: summary.notes.slice(0, MAX_ENTRIES).map((note) => start(note)),
    reasons: summary.reasons
      .slice(0, MAX_ENTRIES)
      .map((reason) => ({ ...reason, example_message: start(reason.example_message) })),
    ...(summary.stop_reasons === undefined
      ? {}
      : { stop_reasons: summary.stop_reasons.slice(0, MAX_ENTRIES) }),
    input: shortValue(summary.input) as RunSummary['input'],
  };
}

/** A value of the run input with its texts cut, in which the page says so. */
function shortValue(value: unknown): unknown {
  if (typeof value === 'string') return start(value, MAX_INPUT_CHARACTERS);
  if (Array.isArray(value)) {
    const entries = value.slice(0, MAX_ENTRIES).map(shortValue);
    return value.length > MAX_ENTRIES ? [...entries, `… ${value.length - MAX_ENTRIES} more`] : entries;
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, shortValue(entry)]));
}

function start(text: string, most = MAX_MESSAGE_CHARACTERS): string {
  const characters = [...text];
  if (characters.length <= most) return text;
  return `${characters.slice(0, most).join('')} … and ${characters.length - most} more characters`;
}
