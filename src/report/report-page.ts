import { createHash } from 'node:crypto';
import type { RunSummary } from '../core/run/summary.ts';
import { PAGE_SCRIPT } from './page-script.ts';
import { PAGE_STYLE } from './page-style.ts';
import type { RunReport } from './run-report.ts';

/**
 * The page that shows a report: one file of HTML that asks for nothing from anywhere. What a dataset or a model wrote is data
 * in it, which the page's own script puts into elements as text; no other script may run.
 */
export function renderReportPage(report: RunReport): string {
  const hash = createHash('sha256').update(PAGE_SCRIPT).digest('base64');
  const policy = `default-src 'none'; script-src 'sha256-${hash}'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
${reportMark(report.summary)}
<title>Quarry run report</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<div id="report"><noscript><p>This page is drawn by a script of its own. Allow it, or read summary.json beside it.</p></noscript></div>
<script type="application/json" id="report-data">${embeddable(report)}</script>
<script>${PAGE_SCRIPT}</script>
</body>
</html>
`;
}

/** Tells which end of which run a page is of. */
export function reportMark({ run_id, ended_at }: Pick<RunSummary, 'run_id' | 'ended_at'>): string {
  return `<meta name="quarry-run" content="${escapeAttribute(`${run_id} ${ended_at}`)}">`;
}

function escapeAttribute(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** JSON that stays within its element whatever the texts are: without `<`, and without what editors take for line ends. */
function embeddable(report: RunReport): string {
  return JSON.stringify(report).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
