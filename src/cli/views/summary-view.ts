import { relative } from 'node:path';
import type { RunSummary } from '../../index.ts';
import { accountLines } from './account-view.ts';
import { flawWarnings, stopReasonLines } from './answer-flaws-view.ts';
import { count, printable, usd } from './format.ts';

/** The summary as `--json` prints it. */
export function summaryJson(summary: RunSummary, paths: readonly string[]): Record<string, unknown> {
  return { ...summary, output_paths: paths };
}

/** The summary as `quarry status` prints it. */
export function summaryText(summary: RunSummary, paths: readonly string[], json: boolean): string {
  return json
    ? `${JSON.stringify(summaryJson(summary, paths), null, 2)}\n`
    : `${summaryLines(summary, paths).join('\n')}\n`;
}

/** The ledger, tokens and output files, for people. */
export function summaryLines(summary: RunSummary, paths: readonly string[]): string[] {
  const { rows, tokens } = summary;
  const lines = [
    '',
    `Run ${summary.run_id}: ${headline(summary)}`,
    '',
    `  rows       ${rowsText(summary)}`,
    `  answered   ${rows.succeeded.toLocaleString('en-US')}`,
    ...reusedLine(summary),
    `  failed     ${rows.failed.toLocaleString('en-US')}`,
    `  not sent   ${rows.not_sent.toLocaleString('en-US')}`,
    ...attemptsLine(summary),
    ...schemaFormLine(summary),
    ...stopReasonLines(summary.stop_reasons ?? []),
    ...(summary.mended
      ? [
          `  mended     ${count(summary.mended, 'answer')} with text around the JSON object, or a trailing comma`,
        ]
      : []),
    ...violationLines(summary),
    `  jobs       ${summary.jobs}${summary.on_demand_records > 0 ? `, and ${count(summary.on_demand_records, 'record')} on demand` : ''}`,
    `  tokens     ${tokens.input.toLocaleString('en-US')} in, ${tokens.output.toLocaleString('en-US')} out`,
  ];
  if (summary.skipped !== undefined) {
    lines.push(
      `  left out   ${count(summary.skipped.records, 'record')} of the dataset: ${summary.skipped.uri}`,
    );
  }
  if (summary.duplicates > 0) {
    lines.push(`  saved      ${count(summary.duplicates, 'row')} share the answer of an identical request`);
  }
  lines.push(...accountLines(summary));
  lines.push(...variantLines(summary));
  if (summary.flawed !== undefined) {
    const warnings = flawWarnings(summary.flawed, rows.succeeded);
    if (warnings.length > 0) lines.push('', ...warnings);
  }
  for (const { error_code, rows: affected, example_record_id, example_message } of summary.reasons) {
    lines.push(
      '',
      `  ${error_code}: ${count(affected, 'row')}, such as ${example_record_id}: ${example_message}`,
    );
  }
  lines.push('', `  output     ${count(paths.length, `${formatOf(paths)} file`)}`);
  const shown = paths.slice(0, 3).map((path) => `             ${shortPath(path)}`);
  lines.push(...shown);
  if (paths.length > 3) lines.push(`             … and ${paths.length - 3} more`);
  return lines.map(printable);
}

/** How many rows; of several variants, how often each counts. */
function rowsText({ rows, variants }: RunSummary): string {
  const total = rows.total.toLocaleString('en-US');
  return variants === undefined
    ? total
    : `${total}: ${count(rows.total / variants.length, 'row')} in each of ${variants.length} variants`;
}

/** What became of each variant, and what all rows of the dataset would cost in it. */
function variantLines({ variants, agreement = [], dataset_rows, rows }: RunSummary): string[] {
  if (variants === undefined) return [];
  const n = (value: number) => value.toLocaleString('en-US');
  const isSample = rows.total / variants.length < dataset_rows;
  const width = Math.max(...variants.map(({ name }) => name.length));
  return [
    '',
    ...variants.map(({ name, model_id, rows: own, tokens, cost_usd, whole_usd }) => {
      const money = cost_usd === null ? '' : `, ${usd(cost_usd)}`;
      const whole =
        isSample && whole_usd !== null ? `, all ${n(dataset_rows)} rows about ${usd(whole_usd)}` : '';
      return `  ${name.padEnd(width)}  ${model_id}: ${n(own.succeeded)} of ${n(own.total)} answered, ${n(tokens.input)} tokens in, ${n(tokens.output)} out${money}${whole}`;
    }),
    ...agreement.map(agreementLine),
  ];
}

/** How far two variants agree: in all, and in each column where there are several. */
function agreementLine({
  a,
  b,
  compared,
  equal,
  columns,
}: NonNullable<RunSummary['agreement']>[number]): string {
  const percent = (part: number) => `${((100 * part) / Math.max(1, compared)).toFixed(1)} %`;
  const kappaText = (kappa: number | null) => (kappa === null ? '' : `, kappa ${kappa.toFixed(2)}`);
  const each = columns.map(({ name, equal: own, kappa }) => `${name} ${percent(own)}${kappaText(kappa)}`);
  const [only, ...others] = columns;
  const more = others.length > 0 ? ` (${each.join('; ')})` : kappaText(only?.kappa ?? null);
  return `  ${a} and ${b} agree in ${percent(equal)} of ${count(compared, 'row')} that both answered${more}`;
}

/** Said of every run that may take answers of former ones. */
function reusedLine({ rows: { reused } }: RunSummary): string[] {
  if (reused === undefined) return [];
  return [`  reused     ${reused.toLocaleString('en-US')} of these, answered and paid for by former runs`];
}

/** Which properties answers had wrong, with their share of all answers that were checked. */
function violationLines({ checked = 0, violations = [] }: RunSummary): string[] {
  const shown = violations
    .slice(0, 5)
    .map(
      ({ property, answers }) =>
        `${property} in ${count(answers, 'answer')} (${((100 * answers) / checked).toFixed(1)} %)`,
    );
  if (shown.length === 0) return [];
  const more = violations.length > 5 ? `, and ${violations.length - 5} more properties` : '';
  return [`  violations ${shown.join(', ')}${more}`];
}

/** Said only where the run went another way than its plan. */
function schemaFormLine({ schema_form }: RunSummary): string[] {
  const { refused } = schema_form ?? {};
  if (refused === undefined) return [];
  return [
    `  schema     asked for in the prompt, as the model refused its own form for ${count(refused.records, 'record')}: ${refused.message}`,
  ];
}

/** What the result files are, by the ending that they share. */
function formatOf([path = '']: readonly string[]): string {
  if (/\.csv$/i.test(path)) return 'CSV';
  return /\.jsonl$/i.test(path) ? 'JSONL' : 'Parquet';
}

function headline({ status, stop }: RunSummary): string {
  switch (status) {
    case 'succeeded':
      return 'every row answered';
    case 'partly_succeeded':
      return 'some rows have no answer';
    case 'stopped':
    case 'cancelled':
      return `${status} before every row was answered. ${stop?.message ?? ''}`.trimEnd();
  }
}

/** `90 rows once, 8 twice, 2 not at all`, where any took more than one. */
function attemptsLine({ attempts }: RunSummary): string[] {
  if (attempts.every((counts) => counts.attempts < 2)) return [];
  const times = (number: number) => ['never', 'once', 'twice'][number] ?? `${number} times`;
  const counts = attempts.map(({ attempts: number, rows }) => `${count(rows, 'row')} ${times(number)}`);
  return [`  sent       ${counts.join(', ')}`];
}

function shortPath(path: string): string {
  if (path.startsWith('s3://')) return path;
  const fromHere = relative(process.cwd(), path);
  return fromHere.startsWith('..') ? path : fromHere;
}
