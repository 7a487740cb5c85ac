import type { DiffedRun, RunDiff } from '../diff/run-diff.ts';
import { columns, distances } from './diff-columns.ts';
import { tellingRows } from './diff-rows.ts';
import { changes, outcomes, settings, sizes } from './diff-sections.ts';
import { foreign, h, moment } from './dom.ts';
import { section } from './section.ts';

const diff = JSON.parse(document.getElementById('report-data')?.textContent ?? 'null') as RunDiff;

function header(): HTMLElement {
  const run = (name: string, { run_id, model_id, ended_at }: DiffedRun) =>
    h(
      'p',
      { class: 'muted' },
      h('strong', {}, `${name} `),
      foreign(run_id),
      ' · ',
      foreign(model_id),
      ` · ended ${moment(ended_at)}`,
    );
  return h(
    'header',
    {},
    h('p', { class: 'eyebrow' }, 'Quarry diff'),
    h('h1', {}, foreign(diff.a.run_id), ' → ', foreign(diff.b.run_id)),
    run('A', diff.a),
    run('B', diff.b),
    diff.notes.length > 0 &&
      h(
        'div',
        { class: 'banner', role: 'note' },
        diff.notes.map((note) => h('p', {}, foreign(note))),
      ),
  );
}

document.title = `${diff.a.run_id} → ${diff.b.run_id}: Quarry diff`;
document
  .getElementById('report')
  ?.replaceChildren(
    header(),
    h(
      'main',
      {},
      changes(diff),
      columns(diff),
      distances(diff),
      outcomes(diff),
      sizes(diff),
      diff.telling.length > 0 && section('rows', 'Rows to look at', tellingRows(diff.telling)),
      settings(diff),
    ),
    h(
      'footer',
      {},
      h('p', { class: 'muted' }, `Made by Quarry ${diff.quarry_version} from the files of both runs.`),
    ),
  );
