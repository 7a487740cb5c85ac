import type { ColumnReport, RunReport, Sizes } from '../run-report.ts';
import { progressChart, sizesChart, timelineChart } from './charts.ts';
import {
  bar,
  type Child,
  count,
  duration,
  foreign,
  h,
  moment,
  number,
  percent,
  table,
  visible,
} from './dom.ts';
import { section } from './section.ts';

/** When jobs ran, and how answers came in. */
export function timeline({ timeline: line, progress, summary }: RunReport): HTMLElement {
  const { jobs, slots, busy_share, left_out } = line;
  const start = Math.min(...jobs.map(({ submitted_at }) => Date.parse(submitted_at)));
  const onDemand =
    summary.on_demand_records > 0 &&
    h(
      'p',
      {},
      `${count(summary.on_demand_records, 'record')} ran on demand, one by one, below Bedrock’s minimum for a job.`,
    );
  if (jobs.length === 0) {
    return section(
      'jobs',
      'Jobs over time',
      onDemand,
      h('p', { class: 'muted' }, 'There is no job of which it is known when it ran.'),
    );
  }
  const repairs = jobs.filter(({ is_repair }) => is_repair).length;
  return section(
    'jobs',
    'Jobs over time',
    h(
      'p',
      {},
      `${count(summary.jobs, 'job')} in ${count(summary.waves, 'wave')}`,
      repairs > 0 && `, ${repairs} of which sent records again`,
      `. ${count(slots, 'job')} could run at once`,
      busy_share === null ? '.' : `; ${percent(busy_share, 1)} of that time was used.`,
      left_out > 0 && ` Only the first ${count(jobs.length, 'job')} are drawn.`,
    ),
    onDemand,
    timelineChart(line, start),
    h(
      'details',
      {},
      h('summary', {}, 'Each job'),
      table(
        {
          caption: 'Jobs',
          head: ['Part', 'Wave', 'Slot', 'Records', 'Rows answered', 'Began', 'Took', 'Ended as'],
          numeric: ['Wave', 'Slot', 'Records', 'Rows answered', 'Took'],
        },
        jobs.map((job) => [
          job.part_id,
          `${job.wave}${job.is_repair ? ' (again)' : ''}`,
          String(job.slot),
          number(job.records),
          number(job.answered),
          moment(job.submitted_at),
          duration(Date.parse(job.ended_at) - Date.parse(job.submitted_at)),
          [job.status ?? '–', job.message !== null && [': ', foreign(job.message)]],
        ]),
      ),
    ),
    progress.length > 1 && [
      h('h3', {}, 'Answers over time'),
      progressChart(progress, start, summary.rows.total),
      progressDetails(progress),
    ],
  );
}

function progressDetails(progress: RunReport['progress']): HTMLElement {
  return h(
    'details',
    {},
    h('summary', {}, 'The numbers'),
    table(
      {
        caption: 'Rows with an answer over time',
        head: ['When', 'Rows with an answer'],
        numeric: ['Rows with an answer'],
      },
      progress.map(({ at, answered }) => [moment(at), number(answered)]),
    ),
  );
}

/** Why rows have no answer. */
export function failures({ summary: { reasons, rows } }: RunReport): HTMLElement | null {
  if (reasons.length === 0) return null;
  return section(
    'failures',
    'Rows without an answer',
    table(
      { caption: 'Why rows have no answer', head: ['Cause', 'Rows', 'Share', 'Example'], numeric: ['Rows'] },
      reasons.map(({ error_code, rows: found, example_record_id, example_message }) => [
        foreign(error_code, 'code'),
        number(found),
        [bar(found / rows.total, 'bad'), percent(found, rows.total)],
        [foreign(example_record_id, 'strong'), ': ', foreign(example_message)],
      ]),
    ),
  );
}

/** How answers ended, and how long they are. */
export function answers({
  summary,
  input_tokens,
  output_tokens,
  scanned_rows,
}: RunReport): HTMLElement | null {
  const reasons = summary.stop_reasons ?? [];
  if (reasons.length === 0 && output_tokens.rows === 0 && input_tokens.rows === 0) return null;
  const partial =
    scanned_rows < summary.rows.total &&
    h('p', { class: 'muted' }, `Counted of the first ${count(scanned_rows, 'row')}.`);
  return section(
    'answers',
    'How answers ended, and how long they are',
    reasons.length > 0 &&
      table(
        {
          caption: 'Stop reasons',
          head: ['Stop reason', 'Answers', 'Share', 'Of these empty'],
          numeric: ['Answers', 'Of these empty'],
        },
        reasons.map(({ stop_reason, rows, empty }) => [
          foreign(stop_reason ?? 'none told', 'code'),
          number(rows),
          [bar(rows / Math.max(1, summary.rows.succeeded)), percent(rows, summary.rows.succeeded)],
          number(empty),
        ]),
      ),
    partial,
    h(
      'div',
      { class: 'halves' },
      sizes(output_tokens, 'Tokens of an answer'),
      sizes(input_tokens, 'Tokens of a prompt'),
    ),
  );
}

function sizes(found: Sizes, what: string): HTMLElement | null {
  if (found.rows === 0) return null;
  return h(
    'div',
    {},
    h('h3', {}, what),
    h(
      'p',
      { class: 'muted' },
      `${number(found.mean)} on average, ${number(found.min)} to ${number(found.max)}`,
    ),
    sizesChart(found, what),
    h(
      'details',
      {},
      h('summary', {}, 'The numbers'),
      table(
        { caption: what, head: ['From', 'To below', 'Rows'], numeric: ['From', 'To below', 'Rows'] },
        found.buckets.map(({ from, to, rows }) => [
          number(Math.ceil(from)),
          number(Math.ceil(to)),
          number(rows),
        ]),
      ),
    ),
  );
}

/** What is in the typed columns of answers. */
export function columns({ columns: found }: RunReport): HTMLElement | null {
  if (found.length === 0) return null;
  return section(
    'columns',
    'Typed answers',
    h(
      'div',
      { class: 'halves' },
      found.map((column) => columnTable(column)),
    ),
  );
}

function columnTable({ name, type, nulls, values, others }: ColumnReport): HTMLElement {
  const total = nulls + others + values.reduce((sum, { rows }) => sum + rows, 0);
  const line = (label: Child, rows: number, colour: string) => [
    label,
    number(rows),
    [bar(rows / Math.max(1, total), colour), percent(rows, total)],
  ];
  return h(
    'div',
    {},
    h('h3', {}, foreign(name), ' ', h('span', { class: 'muted' }, type)),
    table({ caption: visible(name), head: ['Value', 'Rows', 'Share'], numeric: ['Rows'] }, [
      ...values.map(({ value, rows }) => line(foreign(value), rows, 'accent')),
      ...(others > 0 ? [line(h('em', {}, 'other values'), others, 'idle')] : []),
      ...(nulls > 0 ? [line(h('em', {}, 'no value'), nulls, 'idle')] : []),
    ]),
  );
}

/** What went in, exactly. */
export function runInput({ summary }: RunReport): HTMLElement {
  const facts: [string, string][] = [
    ['Run', summary.run_id],
    ['Model', summary.model_id],
    [
      'Dataset',
      `${count(summary.dataset_rows, 'row')} in ${count(summary.dataset_files.length, 'file')}${summary.hub === null ? '' : `, ${summary.hub.dataset_id} at ${summary.hub.commit}`}`,
    ],
    ['Input hash', summary.input_hash],
    ['Prompt hash', summary.prompt_hash],
    ['Quarry', summary.quarry_version],
  ];
  return section(
    'input',
    'The run input',
    h(
      'pre',
      { tabindex: 0, role: 'group', 'aria-label': 'The run input as JSON', dir: 'auto' },
      visible(JSON.stringify(summary.input, null, 2)),
    ),
    h(
      'dl',
      { class: 'facts' },
      facts.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, foreign(value)))),
    ),
    h(
      'details',
      {},
      h('summary', {}, 'Output files'),
      h(
        'ul',
        { class: 'files' },
        summary.output_uris.map((uri) => h('li', {}, foreign(uri, 'code'))),
      ),
    ),
  );
}
