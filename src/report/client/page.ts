import type { RunReport } from '../run-report.ts';
import { duration, foreign, h, moment } from './dom.ts';
import { money, outcome } from './outcome-sections.ts';
import { rowsTable } from './rows-table.ts';
import { section } from './section.ts';
import { answers, columns, failures, runInput, timeline } from './sections.ts';

const STATUS_COLOURS = {
  succeeded: 'good',
  partly_succeeded: 'warn',
  stopped: 'bad',
  cancelled: 'idle',
} as const;

const report = JSON.parse(document.getElementById('report-data')?.textContent ?? 'null') as RunReport;
const { summary } = report;

function header(): HTMLElement {
  const took = Date.parse(summary.ended_at) - Date.parse(summary.started_at);
  return h(
    'header',
    {},
    h('p', { class: 'eyebrow' }, 'Quarry run report'),
    h(
      'h1',
      {},
      foreign(summary.run_id),
      ' ',
      h('span', { class: `pill ${STATUS_COLOURS[summary.status]}` }, summary.status.replace('_', ' ')),
    ),
    h(
      'p',
      { class: 'muted' },
      foreign(summary.model_id),
      ` · ${moment(summary.started_at)} · took ${duration(took)}`,
    ),
    summary.simulated &&
      h(
        'p',
        { class: 'banner', role: 'note' },
        h('strong', {}, 'Simulated answers. '),
        'No model was asked: this run tried the workflow against an emulator of Bedrock.',
      ),
    !summary.simulated &&
      summary.billed === false &&
      h(
        'p',
        { class: 'banner', role: 'note' },
        h('strong', {}, 'Not Bedrock’s answers. '),
        'A server of your own answered in place of Bedrock.',
      ),
  );
}

document.title = `${summary.run_id}: Quarry run report`;
document
  .getElementById('report')
  ?.replaceChildren(
    header(),
    h(
      'main',
      {},
      outcome(report),
      money(report),
      timeline(report),
      failures(report),
      answers(report),
      columns(report),
      section('rows', 'Rows', rowsTable(report.rows, { simulated: summary.simulated })),
      runInput(report),
    ),
    h(
      'footer',
      {},
      h('p', { class: 'muted' }, `Made by Quarry ${summary.quarry_version} from the files of the run.`),
    ),
  );
