import type { Command } from 'commander';
import { createWatchTeller, endOf, type Quarry, type WatchEvent, type WatchView } from '../../index.ts';
import type { CliContext } from '../cli-context.ts';
import { EXIT_FAILED, EXIT_INCOMPLETE } from '../cli-error.ts';
import { addTargetOptions, quarryOf, RUN_ARGUMENT, type TargetOptions } from '../options/target-options.ts';
import { withStopSignals } from '../stop-signals.ts';
import { pasteable } from '../views/pasteable.ts';
import { summaryText } from '../views/summary-view.ts';
import { watchLines } from '../views/watch-lines.ts';
import { drawViews, hasFullTerminal } from '../watch/full-view.ts';

interface WatchOptions extends TargetOptions {
  json?: boolean;
}

/** What is watched, and where that is told. */
interface Watched extends Pick<WatchOptions, 'dir'> {
  quarry: Quarry;
  runId: string;
  context: CliContext;
}

/** Milliseconds between two tellings of numbers that always grow: in a log, and to a program. */
const COUNTS_EVERY_MS = { lines: 30_000, json: 5_000 } as const;
/** Looks in a row at which nobody is working on a run, before it is taken to stand still. */
const LOOKS_AT_NOBODY = 3;

/** `quarry watch`: a run as it goes, wherever it runs. */
export function addWatchCommand(program: Command, context: CliContext): void {
  const command = program
    .command('watch')
    .argument('[run]', RUN_ARGUMENT)
    .description(
      'Watch a run, in any number of terminals, wherever it runs. Reads only: the run goes on by itself.',
    )
    .option('--json', 'print events as JSON, one a line (docs/watch.md)');
  addTargetOptions(command).action(async (name: string | undefined, options: WatchOptions) => {
    const { dir, json = false } = options;
    const quarry = quarryOf(options);
    const watched = { quarry, runId: await quarry.find(name), context, dir };
    if (!json && hasFullTerminal(context.in, context.out)) await watchOnTerminal(watched);
    else await watchInLines(watched, json);
  });
}

/** The full view, and once it is left a few words on the terminal as it was before. */
async function watchOnTerminal({ quarry, runId, context, dir }: Watched): Promise<void> {
  const { in: input, out: output } = context;
  const end = await withStopSignals(
    (signal) =>
      drawViews((until) => quarry.watch(runId, { signal: until }), {
        ...{ in: input, output, signal },
        leaving: 'q leave (the run goes on)',
      }),
    () => {},
  );
  if (end.kind === 'left') {
    output.write(`Run ${runId} is left to itself.\nTo watch it again: ${pasteable(`watch ${runId}`, dir)}\n`);
    return;
  }
  const status = await quarry.status(runId);
  if (status.kind !== 'ended') return;
  output.write(summaryText(status.summary, status.files, false));
  setExitStatus(end.last, context);
}

async function watchInLines({ quarry, runId, context, dir }: Watched, json: boolean): Promise<void> {
  const last = await withStopSignals(
    (signal) => tellViews(quarry.watch(runId, { signal }), { json, context }),
    () => {},
  );
  setExitStatus(last, context);
  if (last !== undefined && !last.hasEnded && !json)
    context.out.write(`To continue: ${pasteable(`resume ${runId}`, dir)}\n`);
}

/** As for `run`; a run that stands still has failed to end. */
function setExitStatus(last: WatchView | undefined, context: CliContext): void {
  if (last === undefined) return;
  if (!last.hasEnded) context.exitStatus = EXIT_FAILED;
  else if (last.rows.unanswered > 0) context.exitStatus = EXIT_INCOMPLETE;
}

/** Prints what each view has that is new, until the run has ended or stands still; undefined where it was left before. */
async function tellViews(
  views: AsyncIterable<WatchView>,
  { json, context }: { json: boolean; context: CliContext },
): Promise<WatchView | undefined> {
  const tell = createWatchTeller(json ? COUNTS_EVERY_MS.json : COUNTS_EVERY_MS.lines);
  const print = (events: readonly WatchEvent[]) => {
    const lines = json ? events.map((event) => JSON.stringify(event)) : watchLines(events);
    for (const line of lines) context.out.write(`${line}\n`);
  };
  let atNobody = 0;
  for await (const view of views) {
    print(tell(view));
    atNobody = view.worker === null ? atNobody + 1 : 0;
    if (!view.hasEnded && atNobody < LOOKS_AT_NOBODY) continue;
    print([endOf(view)]);
    return view;
  }
  return undefined;
}
