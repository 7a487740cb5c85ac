import { join } from 'node:path';
import type { RunSummary } from '../core/run/summary.ts';
import type { RunLayout } from '../runs/run-layout.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { type ReportSource, readReport } from './read-report.ts';
import { renderReportPage, reportMark } from './report-page.ts';
import type { RunReport } from './run-report.ts';

/** Writes the report of a run that has ended beside its results, and returns it; the same files give the same page. */
export async function writeReport(source: ReportSource): Promise<RunReport> {
  const { layout, store, scratchDirectory, summary } = source;
  const report = await readReport({
    ...source,
    scratchDirectory: join(scratchDirectory, summary.run_id, 'report'),
  });
  await store.write(layout.report, renderReportPage(report));
  return report;
}

/** True where there is a report of this very end of the run, which may have been taken up again since an earlier one. */
export async function isReported({
  layout,
  summary,
  store,
}: {
  layout: RunLayout;
  summary: RunSummary;
  store: ObjectStore;
}): Promise<boolean> {
  if ((await store.head(layout.report)) === undefined) return false;
  return Buffer.from(await store.read(layout.report)).includes(reportMark(summary));
}
