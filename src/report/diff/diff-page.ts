import { renderPage } from '../page-frame.ts';
import { DIFF_PAGE_SCRIPT } from './diff-page-script.ts';
import type { RunDiff } from './run-diff.ts';

/** The page that shows a diff of two runs: one file of HTML. */
export function renderDiffPage(diff: RunDiff): string {
  return renderPage({
    title: 'Quarry diff',
    script: DIFF_PAGE_SCRIPT,
    data: diff,
    noscript:
      'This page is drawn by a script of its own. Allow it, or print the diff with quarry diff --json.',
  });
}
