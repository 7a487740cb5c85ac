import type { Command } from 'commander';
import type { Quarry, RunStatusReport } from '../../index.ts';
import type { CliContext } from '../cli-context.ts';
import { addTargetOptions, quarryOf, RUN_ARGUMENT, type TargetOptions } from '../options/target-options.ts';
import { progressLines } from '../views/run-progress-view.ts';
import { adviceLines, executionJson, workerLines } from '../views/stack-status-view.ts';
import { summaryText } from '../views/summary-view.ts';
import { followRun, reportRun } from './follow-run.ts';

interface StatusOptions extends TargetOptions {
  follow?: boolean;
  json?: boolean;
}

/** `quarry status`: where a run stands. */
export function addStatusCommand(program: Command, context: CliContext): void {
  const command = program
    .command('status')
    .argument('[run]', RUN_ARGUMENT)
    .description('Show where a run stands.')
    .option('--follow', 'show its progress until it has ended')
    .option('--json', 'print as JSON');
  addTargetOptions(command).action((name: string | undefined, options: StatusOptions) =>
    showStatus(name, options, context),
  );
}

async function showStatus(
  name: string | undefined,
  options: StatusOptions,
  context: CliContext,
): Promise<void> {
  const { dir, follow = false, json = false } = options;
  const command = { quarry: quarryOf(options), context, dir };
  const { quarry } = command;
  const runId = await quarry.find(name);
  if (follow && (await isFollowed(runId, quarry))) {
    const followed = { ...command, isFollowed: true };
    const ended = await followRun(followed, (progress) => quarry.follow(runId, progress));
    return reportRun(ended, { ...command, json });
  }
  const status = await quarry.status(runId);
  context.out.write(
    status.kind === 'ended'
      ? summaryText(status.summary, status.files, json)
      : unfinishedText(runId, status, { dir, json }),
  );
}

/** False where nobody is working on it: there is nothing to follow. */
async function isFollowed(runId: string, quarry: Quarry): Promise<boolean> {
  const status = await quarry.status(runId);
  if (status.kind === 'ended') return false;
  return status.onStack === undefined ? status.progress?.process != null : status.onStack.isAtWork;
}

function unfinishedText(
  runId: string,
  { progress, onStack }: Extract<RunStatusReport, { kind: 'unfinished' }>,
  { dir, json }: { dir: string; json: boolean },
): string {
  if (json) {
    const state = { run_id: runId, ...progress, ...(onStack && executionJson(onStack)) };
    return `${JSON.stringify(state, null, 2)}\n`;
  }
  const worker = onStack && workerLines(onStack);
  const lines =
    progress === undefined
      ? [`Run ${runId} has no plan yet.`, ...(worker ?? [])]
      : progressLines(progress, dir, worker);
  return `${[...lines, ...(onStack ? adviceLines(onStack, dir) : [])].join('\n')}\n`;
}
