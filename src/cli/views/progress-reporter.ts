import { createLogUpdate } from 'log-update';
import type { RunEvent } from '../../core/run/run-event.ts';
import { advanceView, emptyView, logLine, viewLines } from './run-view.ts';

/** Shows a run's progress until it is stopped. */
export interface ProgressReporter {
  report: (progress: RunEvent) => void;
  stop: () => void;
}

/** Milliseconds between two paintings of the live block. */
const REPAINT_MS = 100;

/** A live block on a terminal, plain lines elsewhere; always on standard error. */
export function createProgressReporter(stream: NodeJS.WriteStream): ProgressReporter {
  const view = emptyView(Date.now());
  if (!stream.isTTY) {
    return {
      report: (progress) => {
        advanceView(view, progress);
        const line = logLine(view, progress);
        if (line !== undefined) stream.write(`${line}\n`);
      },
      stop: () => {},
    };
  }
  const live = createLogUpdate(stream);
  const paint = () => live(viewLines(view, Date.now()).join('\n'));
  const timer = setInterval(paint, REPAINT_MS);
  return {
    report: (progress) => advanceView(view, progress),
    stop: () => {
      clearInterval(timer);
      paint();
      live.done();
    },
  };
}
