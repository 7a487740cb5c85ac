import type { RunPlan } from '../core/plan/run-plan.ts';
import type { RunSummary } from '../core/run/summary.ts';
import type { RunReport, Sizes } from './run-report.ts';

/** The report of a run with several variants, made of the reports of each; its jobs are those of all already. */
export function joinReports(
  reports: readonly RunReport[],
  { plan, summary }: { plan: RunPlan; summary: RunSummary },
): RunReport {
  const [first, ...others] = reports as [RunReport, ...RunReport[]];
  const names = plan.variants.map(({ name = '' }) => name);
  const join = (sizesOf: (report: RunReport) => Sizes) =>
    others.reduce((sum, report) => joinSizes(sum, sizesOf(report)), sizesOf(first));
  return {
    ...first,
    summary,
    output_files: summary.output_uris.length,
    estimate: plan.estimate,
    scanned_rows: reports.reduce((sum, { scanned_rows }) => sum + scanned_rows, 0),
    input_tokens: join(({ input_tokens }) => input_tokens),
    output_tokens: join(({ output_tokens }) => output_tokens),
    columns: reports.flatMap(({ columns }, index) =>
      columns.map((column) => ({ ...column, name: `${column.name}_${names[index]}` })),
    ),
    rows: reports.flatMap(({ rows }, index) => rows.map((row) => ({ variant: names[index] ?? '', ...row }))),
  };
}

function joinSizes(a: Sizes, b: Sizes): Sizes {
  if (a.rows === 0) return b;
  if (b.rows === 0) return a;
  const rows = a.rows + b.rows;
  const buckets = new Map(a.buckets.map((bucket) => [bucket.from, bucket]));
  for (const bucket of b.buckets) {
    const before = buckets.get(bucket.from)?.rows ?? 0;
    buckets.set(bucket.from, { ...bucket, rows: before + bucket.rows });
  }
  return {
    rows,
    mean: (a.mean * a.rows + b.mean * b.rows) / rows,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
    buckets: [...buckets.values()].sort((x, y) => x.from - y.from),
  };
}
