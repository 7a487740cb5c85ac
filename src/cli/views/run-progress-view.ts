import { countFlaws } from '../../core/answer-flaws.ts';
import type { UnfinishedRun } from '../../index.ts';
import { flawWarnings, stopReasonLines } from './answer-flaws-view.ts';
import { count, dirFlag } from './format.ts';
import { waitingText } from './run-view.ts';

/** Where a run stands, for people; whoever else than a process is at work on it is told in lines of its own. */
export function progressLines(
  { run_id, process, status, waves, rows, parts, waiting, jobs, reasons, stop_reasons }: UnfinishedRun,
  dir: string,
  workerLines?: readonly string[],
): string[] {
  const n = (value: number) => value.toLocaleString('en-US');
  const ended = Object.entries(jobs).map(([name, number]) => `${number} ${name}`);
  const lines = [
    `Run ${run_id} has not ended.`,
    ...(workerLines ?? [
      process === null
        ? 'No process is at work on it.'
        : `Process ${process.pid} on ${process.host} is at work on it, since ${process.since}.`,
    ]),
    ...(status === 'cancelling' ? ['It is cancelled: nothing more is sent.'] : []),
    '',
    `  prepared   ${count(rows.prepared, 'row')} of ${n(rows.total)}, ${count(parts.prepared, 'part')} of ${parts.planned}`,
    `  waves      ${waves}`,
    `  parts      ${parts.waiting} waiting, ${parts.submitted} submitted, ${parts.refused} refused, ${parts.collected} collected`,
    ...waiting.map((wait) => `  waiting    ${count(wait.parts, 'part')}: ${waitingText(wait)}`),
    ...(ended.length > 0 ? [`  jobs       ${ended.join(', ')}`] : []),
    `  rows       ${n(rows.succeeded)} answered, ${n(rows.unanswered)} without an answer so far, ${n(rows.owed)} of them to be sent again`,
    ...stopReasonLines(stop_reasons),
    ...flawWarnings(countFlaws(stop_reasons), rows.succeeded),
  ];
  for (const { error_code, rows: affected, example_record_id, example_message } of reasons) {
    lines.push(
      `  ${error_code}: ${count(affected, 'row')}, such as ${example_record_id}: ${example_message}`,
    );
  }
  if (process === null && workerLines === undefined)
    lines.push(
      '',
      `To go on: quarry resume ${run_id}${dirFlag(dir)}. To stop its jobs: quarry cancel ${run_id}${dirFlag(dir)}.`,
    );
  return lines;
}
