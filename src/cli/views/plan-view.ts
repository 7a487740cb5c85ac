import Table from 'cli-table3';
import type { PlannedSchema, PlanReport, ScheduledEnd } from '../../index.ts';
import { count, duration, printable, usd } from './format.ts';
import { pasteable } from './pasteable.ts';
import { recordLines, unsentLines } from './plan-records-view.ts';

/** The plan, for people; `directory` is the project's, for what can be pasted. */
export function planLines(
  report: PlanReport,
  { showRecords = false, directory }: { showRecords?: boolean; directory?: string | undefined } = {},
): string[] {
  const { estimate, schedule, rows, dataset_rows, on_demand_rows } = report;
  const lines = [
    '',
    `Plan of run ${report.run_id}${report.run_exists ? ', which exists' : ''}: ${report.model_id}`,
    '',
    `  rows       ${rows.toLocaleString('en-US')}${rows === dataset_rows ? '' : ` of ${dataset_rows.toLocaleString('en-US')}`}`,
    ...variantLines(report),
    ...unsentLines(report.unsent),
    ...reuseLines(report, directory),
    ...promptLines(report.prompt_ids),
    ...schemaLines(report.output_schema),
    ...earlierLines(report.earlier_run),
    ...pilotLines(report),
    `  on demand  ${on_demand_rows.toLocaleString('en-US')}${on_demand_rows === 0 ? '' : ', at twice the price: fewer than a job takes'}`,
    `  input      about ${count(estimate.input_tokens, 'token')}${estimate.input_usd === null ? '' : `, ${usd(estimate.input_usd)}`}, ${countedText(estimate)}`,
    `  answers    at most ${count(estimate.max_output_tokens, 'token')}, if every row is sent once`,
    `  cost       ${costText(report)}`,
    ...expectedLines(report),
    ...cachingLines(report),
  ];
  if (schedule.balanced.jobs > 0) {
    lines.push(
      '',
      scheduleTable(report),
      '',
      ...quotaLines(report.quotas),
      ...slotLines(report.slots),
      `With ${count(schedule.jobs_in_flight, 'job')} at once and ${count(schedule.records_per_hour, 'record')} an hour in each; not counting time queued at Bedrock.`,
    );
  }
  lines.push(...explanationLines(report.explanation));
  lines.push(...recordLines(report, { isWhole: showRecords }));
  if (report.notes.length > 0) lines.push('', ...report.notes.map((note) => `Note: ${note}`));
  lines.push('', whatWasSent(report));
  return lines;
}

/** What each row is asked, a line for each variant, with its price and what all rows of the dataset would cost in it. */
function variantLines({ variants, rows, dataset_rows }: PlanReport): string[] {
  if (variants === null) return [];
  const dollars = (value: number | null) => (value === null ? 'no price known' : usd(value));
  const width = Math.max(...variants.map(({ name }) => name.length));
  return [
    `  variants   ${variants.length}, so that ${count(rows * variants.length, 'answer')} are asked for; with the longest answers:`,
    ...variants.map(({ name, model_id, estimate: { max_usd }, whole_max_usd }) => {
      const whole =
        rows === dataset_rows ? '' : `, all ${count(dataset_rows, 'row')} ${dollars(whole_max_usd)}`;
      return `    ${name.padEnd(width)}  ${model_id}: ${dollars(max_usd)}${whole}`;
    }),
  ];
}

/** How many of the account's slots other jobs hold now. */
function slotLines(slots: PlanReport['slots']): string[] {
  if (slots === null) return [];
  const { at_once, held_by_others: held } = slots;
  return held === 0
    ? [`Slots: no other job of this model holds one of the ${at_once} now.`]
    : [
        `Slots: ${held} of ${at_once} are held by other jobs of this model now; those of this run wait until one is free.`,
      ];
}

/** Where the most records of a job, and the most jobs at once, come from. */
function quotaLines(quotas: PlanReport['quotas']): string[] {
  if (quotas === null) return [];
  const { records_per_job: records, jobs_at_once: jobs, defaults_as_of } = quotas;
  const sources = {
    account: 'Service Quotas of this account',
    told: 'what you told',
    stack: 'what the stack was deployed with',
    default: `AWS’s defaults as of ${defaults_as_of}`,
  };
  const what = [`${count(records.value, 'record')} a job`, `${count(jobs.value, 'job')} at once`];
  return records.source === jobs.source
    ? [`Quotas: at most ${what.join(' and ')}, by ${sources[records.source]}.`]
    : [`Quotas: at most ${what[0]}, by ${sources[records.source]}; ${what[1]}, by ${sources[jobs.source]}.`];
}

/** Why a row is reused, or what keeps it from that. */
function explanationLines(explanation: PlanReport['explanation']): string[] {
  if (explanation === null) return [];
  const { record_id, reused_from, compared_with, reasons } = explanation;
  if (reused_from !== null) return ['', printable(`Row ${record_id} gets the answer of run ${reused_from}.`)];
  const against = compared_with === null ? '' : `, unlike in run ${compared_with}`;
  return ['', `Row ${record_id} is not reused${against}:`, ...reasons.map((reason) => `  ${reason}`)].map(
    printable,
  );
}

/** What of the rows former runs have paid for, and what that saves. */
function reuseLines(report: PlanReport, directory: string | undefined): string[] {
  const { reuse, estimate } = report;
  if (reuse === null) return [];
  const { max_usd } = estimate;
  const n = (rows: number) => rows.toLocaleString('en-US');
  const dollars =
    max_usd === null || reuse.max_usd_without === null
      ? ''
      : ` · ${usd(max_usd)} instead of ${usd(reuse.max_usd_without)}`;
  return [
    `  reuse      ${n(reuse.new)} new · ${n(reuse.changed)} changed · ${n(reuse.reused)} reused${dollars}`,
    `             of ${count(reuse.answers, 'kept answer')} of this model`,
    ...notKeptLines(report, directory),
  ];
}

/** That nothing was found where a run of the same prompt has answers, which it did not keep. */
function notKeptLines({ reuse, earlier_run }: PlanReport, directory: string | undefined): string[] {
  if (reuse === null || reuse.reused > 0 || earlier_run === null || earlier_run.kept_answers) return [];
  const what = `run ${earlier_run.run_id} had no reuse and kept none; to take its answers in: ${pasteable('answers --rebuild', directory)}`;
  return [`             ${printable(what)}`];
}

/** How many rows each prompt has, the most frequent first. */
function promptLines(ids: PlanReport['prompt_ids']): string[] {
  if (ids === null) return [];
  const known = ids.known.toSorted((a, b) => b.rows - a.rows);
  const told = known
    .slice(0, MOST_PROMPTS)
    .map(({ prompt_id, rows }) => `${prompt_id} ${count(rows, 'row')}`);
  const others = known.slice(MOST_PROMPTS).reduce((sum, { rows }) => sum + rows, 0);
  const more = others === 0 ? [] : [`others ${count(others, 'row')}`];
  const none = ids.unknown.rows === 0 ? [] : [`none ${count(ids.unknown.rows, 'row')}`];
  return [`  prompts    ${[...told, ...more, ...none].join(', ')}`];
}

/** Prompts that are told by name. */
const MOST_PROMPTS = 8;

const FORMS: Readonly<Record<PlannedSchema['form'], string>> = {
  native: 'sent in the model’s own form, which holds its answers to it',
  prompt: 'asked for in the prompt',
};

function schemaLines(schema: PlannedSchema | null): string[] {
  if (schema === null) return [];
  const [given, compiled, sent] = [schema.given, schema.compiled, schema.sent].map((form) =>
    JSON.stringify(form),
  );
  return [
    `  columns    ${schema.columns.map(({ name, type }) => `${name} ${type}`).join(', ')}`,
    `  schema     ${FORMS[schema.form]}; each answer is checked`,
    `             ${given}`,
    ...(compiled === given ? [] : [`             means ${compiled}`]),
    ...(schema.sent === null || sent === compiled ? [] : [`             sent as ${sent}`]),
  ];
}

/** How the answers of an earlier run of the same prompt fared against its schema. */
function earlierLines(earlier: PlanReport['earlier_run']): string[] {
  const { checked = 0, violations = [], run_id } = earlier ?? {};
  if (checked === 0) return [];
  const share = (answers: number) => `${((100 * answers) / checked).toFixed(1)} %`;
  const told = violations.slice(0, 5).map(({ property, answers }) => `${property} in ${share(answers)}`);
  return [
    `  earlier    of ${count(checked, 'answer')} of run ${run_id}, ${told.length === 0 ? 'none had a property wrong' : `these properties were wrong: ${told.join(', ')}`}`,
  ];
}

/** What has been sent by now, and what may be paid for it. */
function whatWasSent({ pilot, run_id, uploaded_to, billed }: PlanReport): string {
  if (pilot !== null) {
    return `The pilot was sent${billed ? ', and paid for' : ''}. Run ${run_id} goes on from there with quarry run and the same words, or quarry resume ${run_id}; its rows are not sent again.`;
  }
  return uploaded_to === null
    ? 'Nothing was sent and nothing was paid.'
    : `The dataset is in ${uploaded_to} now; nothing else was sent, and nothing was paid.`;
}

/** What the pilot took. */
function pilotLines({ pilot, billed }: PlanReport): string[] {
  if (pilot === null) return [];
  const tokens = `${count(pilot.input_tokens, 'token')} in, ${pilot.output_tokens.toLocaleString('en-US')} out`;
  const paid = pilot.cost_usd === null ? '' : `, ${usd(pilot.cost_usd)}${billed ? '' : ' at Bedrock'}`;
  return [
    `  pilot      ${count(pilot.answers, 'answer')} of ${count(pilot.records, 'record')}: ${tokens}${paid}`,
  ];
}

/** What the input tokens are by. */
function countedText({ counted }: PlanReport['estimate']): string {
  if (counted === undefined) return 'at four bytes a token';
  const rows = count(counted.rows, 'row');
  if (counted.by === 'count_tokens') return `counted by CountTokens on ${rows}`;
  const error =
    counted.family_error === 0
      ? 'which is the model’s own'
      : `which is up to ${Math.round(100 * counted.family_error)} % off for this model`;
  return `counted on ${rows} by the tokenizer o200k, ${error}`;
}

/** An estimate: of the tokens only their bytes are known before, and rows may have to be sent again. */
function costText({ estimate: { max_usd, prices_as_of, prices_from }, billed }: PlanReport): string {
  if (max_usd === null) return billed ? 'unknown: no price on file for this model' : 'nothing here';
  const estimate = `about ${usd(max_usd)} with the longest answers, by ${prices_from === 'run_input' ? 'your own prices' : `prices of ${prices_as_of}`}: an estimate`;
  return billed ? estimate : `nothing here; at Bedrock ${estimate}`;
}

/** By what answers are expected. */
const EXPECTED = {
  told: 'as you expect them',
  earlier_run: 'from ROWS answers of run RUN',
  pilot: 'as long as those of the pilot',
} as const;

/** Between which dollars the run will be, and what it would be on demand. */
function expectedLines({ estimate, expected_by, earlier_run }: PlanReport): string[] {
  const { expected, input_usd: low, max_usd: most, on_demand_usd: onDemand } = estimate;
  if (low === null || most === null) return [];
  const between =
    expected?.usd == null
      ? []
      : [
          `             expected about ${usd(expected.usd)}, with ${count(expected.output_tokens, 'token')} of answers ${EXPECTED[expected_by ?? 'told'].replace('ROWS', (earlier_run?.answers ?? 0).toLocaleString('en-US')).replace('RUN', earlier_run?.run_id ?? '')}; at least ${usd(low)}, for the input`,
        ];
  return onDemand == null
    ? between
    : [
        ...between,
        `  beside     about ${usd(onDemand)} with the longest answers, were every row sent on demand`,
      ];
}

/** Batch has no prompt caching: where rows share much, on demand with it may be cheaper. */
function cachingLines({ caching }: PlanReport): string[] {
  if (caching === null) return [];
  const { prefix_tokens, cheaper_below_output_tokens: below, expected_usd } = caching;
  const whole =
    expected_usd === null ? '' : `; about ${usd(expected_usd)} with the answers that are expected`;
  return [
    `  caching    all rows begin alike for about ${count(prefix_tokens, 'token')}: on demand with prompt caching, which batch has not, is cheaper`,
    `             where answers have fewer than ${count(below, 'token')} on average${whole}. Quarry does not send that way`,
  ];
}

function scheduleTable({ schedule: { jobs_in_flight, balanced, full } }: PlanReport): string {
  const table = new Table({ head: ['', 'this run', 'full parts'], style: { head: [], border: [] } });
  const row = (name: string, textOf: (end: ScheduledEnd) => string) =>
    table.push([name, textOf(balanced), textOf(full)]);
  row('jobs', ({ jobs }) => jobs.toLocaleString('en-US'));
  row('records per job', ({ smallest, largest }) =>
    [...new Set([smallest, largest])].map((size) => size.toLocaleString('en-US')).join(' to '),
  );
  row(`rounds of ${jobs_in_flight}`, ({ rounds }) => rounds.toLocaleString('en-US'));
  row('jobs end after', ({ hours }) => duration(hours * 3_600_000));
  return table.toString();
}
