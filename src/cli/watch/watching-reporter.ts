import type { ProgressReporter } from '../views/progress-reporter.ts';
import type { ViewEnd } from './full-view.ts';

/** What draws the full view of a run until it ends, is left, or the signal is aborted. */
export type DrawRun = (runId: string, signal: AbortSignal) => Promise<ViewEnd>;

/** What stands back, and what stops the run. */
interface WatchingOptions {
  live: ProgressReporter;
  draw: DrawRun;
  /** As Ctrl-C does where no view has the keys. */
  interrupt: () => void;
}

/**
 * The live block of a run, which gives way to the full view once the run is planned. `q` brings it back and the run goes on; Ctrl-C
 * brings it back and stops the run. Messages wait until there is somewhere to read them.
 */
export function createWatchingReporter({ live, draw, interrupt }: WatchingOptions): ProgressReporter {
  const closing = new AbortController();
  const held: string[] = [];
  let drawing: Promise<void> | undefined;
  let isDrawn = false;
  const show = async (runId: string): Promise<void> => {
    isDrawn = true;
    live.hide?.();
    let end: ViewEnd | undefined;
    try {
      end = await draw(runId, closing.signal);
    } catch (error) {
      // Only the view is lost: the run goes on, and is told of as usual.
      held.push(`The full view cannot be shown. ${(error as Error).message}`);
    }
    isDrawn = false;
    live.show?.();
    for (const message of held.splice(0)) live.say(message);
    if (end?.kind === 'left' && end.key === 'ctrl-c' && !closing.signal.aborted) interrupt();
  };
  return {
    report: (event) => {
      live.report(event);
      if (event.kind === 'planned') drawing ??= show(event.plan.run_id);
    },
    say: (message) => {
      if (isDrawn) held.push(message);
      else live.say(message);
    },
    stop: async () => {
      closing.abort(new Error('The run has ended.'));
      await drawing;
      await live.stop();
    },
  };
}
