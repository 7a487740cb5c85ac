import type { RunSummary } from '../core/run/summary.ts';
import { renderPage } from './page-frame.ts';
import { PAGE_SCRIPT } from './page-script.ts';
import type { RunReport } from './run-report.ts';

/** The page that shows a report. */
export function renderReportPage(report: RunReport): string {
  return renderPage({
    title: 'Quarry run report',
    head: reportMark(report.summary),
    script: PAGE_SCRIPT,
    data: report,
    noscript: 'This page is drawn by a script of its own. Allow it, or read summary.json beside it.',
  });
}

/** Tells which end of which run a page is of. */
export function reportMark({ run_id, ended_at }: Pick<RunSummary, 'run_id' | 'ended_at'>): string {
  return `<meta name="quarry-run" content="${escapeAttribute(`${run_id} ${ended_at}`)}">`;
}

function escapeAttribute(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
