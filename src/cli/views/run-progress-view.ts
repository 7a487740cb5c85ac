import { countFlaws } from '../../core/jobs/answer-flaws.ts';
import type { UnfinishedRun } from '../../index.ts';
import { flawWarnings, stopReasonLines } from './answer-flaws-view.ts';
import { count, usd } from './format.ts';
import { pasteable } from './pasteable.ts';
import { waitingText } from './run-view.ts';

/** States of parts in the order in which a part goes through them. */
const STATES = [
  'waiting',
  'submitted',
  'validating',
  'queued',
  'running',
  'collecting',
  'collected',
  'failed',
] as const;

/** Where a run stands, for people; whoever else than a process is working on the run is told in lines of its own. */
export function progressLines(run: UnfinishedRun, dir: string, workerLines?: readonly string[]): string[] {
  const { run_id, process, rows, parts, records, waves, waiting, jobs, reasons, stop_reasons, jobs_fault } =
    run;
  const n = (value: number) => value.toLocaleString('en-US');
  const ended = Object.entries(jobs).map(([name, number]) => `${number} ${name}`);
  const states = STATES.filter((state) => parts[state] > 0).map((state) => `${n(parts[state])} ${state}`);
  const lines = [
    `Run ${run_id} has not ended.`,
    ...(workerLines ?? standingLines(run)),
    ...(run.status === 'cancelling' || run.status === 'cancelled'
      ? ['It is cancelled: nothing more is sent.']
      : []),
    '',
    `  prepared   ${count(rows.prepared, 'row')} of ${n(rows.total)}, ${count(parts.prepared, 'part')} of ${parts.planned}`,
    `  waves      ${waves}`,
    `  parts      ${states.join(', ') || 'none sent yet'}`,
    ...waiting.map((wait) => `  waiting    ${count(wait.parts, 'part')}: ${waitingText(wait)}`),
    ...(records.total > 0
      ? [`  records    ${n(records.processed)} of ${n(records.total)} done by the jobs under way`]
      : []),
    ...(ended.length > 0 ? [`  jobs       ${ended.join(', ')}`] : []),
    ...run.retrying.map((wait) => `  waiting    step ${wait.step} is tried again: ${waitingText(wait)}`),
    `  rows       ${n(rows.succeeded)} answered${rows.reused === undefined ? '' : ` (${n(rows.reused)} of them reused)`}, ${n(rows.unanswered)} without an answer so far, ${n(rows.owed)} of them to be sent again`,
    ...dollarLines(run.usd),
    ...stopReasonLines(stop_reasons),
    ...flawWarnings(countFlaws(stop_reasons), rows.succeeded),
    ...(jobs_fault === null ? [] : [`  Its jobs could not be read. ${jobs_fault}`]),
  ];
  for (const { error_code, rows: affected, example_record_id, example_message } of reasons) {
    lines.push(
      `  ${error_code}: ${count(affected, 'row')}, such as ${example_record_id}: ${example_message}`,
    );
  }
  if (process === null && workerLines === undefined)
    lines.push(
      '',
      `To continue: ${pasteable(`resume ${run_id}`, dir)}`,
      `To stop its jobs: ${pasteable(`cancel ${run_id}`, dir)}`,
    );
  return lines;
}

/** What it has taken so far, beside what the whole should and may; where nobody pays, that nothing was. */
function dollarLines({ billed, so_far, expected, cap }: UnfinishedRun['usd']): string[] {
  if (so_far === null) return [];
  if (!billed) return [`  dollars    nothing is paid; ${usd(so_far)} so far had it been Bedrock’s`];
  const whole = expected === null ? '' : `, about ${usd(expected)} expected in all`;
  return [`  dollars    ${usd(so_far)} so far${whole}${cap === null ? '' : `, ${usd(cap)} is the cap`}`];
}

function standingLines({ process, failure }: UnfinishedRun): string[] {
  if (process !== null) {
    const { pid, host, since, advice } = process;
    return [
      `Process ${pid} on ${host} has been working on it since ${since}.${advice === null ? '' : ` ${advice}`}`,
    ];
  }
  const nobody = 'No process is working on it.';
  return failure === null
    ? [nobody]
    : [nobody, `It failed at ${failure.failed_at}. ${failure.message} (${failure.error})`];
}
