import { createLogUpdate } from 'log-update';
import type { RunEvent } from '../../core/run/run-event.ts';
import { advanceView, emptyView, logLine, standingLine, viewLines } from './run-view.ts';

/** Shows a run's progress until it is stopped. */
export interface ProgressReporter {
  report: (event: RunEvent) => void;
  /** Prints a message that stays, above what is repainted. */
  say: (message: string) => void;
  stop: () => void | Promise<void>;
  /** Takes what is repainted off the terminal, and puts it there again; absent where nothing is. */
  hide?: () => void;
  show?: () => void;
}

/** Milliseconds between two looks at whether the live block has changed. */
const REPAINT_MS = 100;

/** Milliseconds after which a log that has said nothing says where the run stands. */
const QUIET_MS = 60_000;

/** A live block on a terminal, plain lines elsewhere; always on standard error. */
export function createProgressReporter(stream: NodeJS.WriteStream): ProgressReporter {
  return stream.isTTY ? liveReporter(stream) : logReporter(stream);
}

/** Lines with the time in UTC, at what is worth one, and one a minute at least while there is something to tell. */
function logReporter(stream: NodeJS.WriteStream): ProgressReporter {
  let view = emptyView(Date.now());
  const write = (text: string) => {
    const time = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
    stream.write(`${text.replaceAll(/^/gm, `${time} `)}\n`);
    quiet.refresh();
  };
  const quiet = setInterval(() => {
    const line = standingLine(view, Date.now());
    if (line !== undefined) write(line);
  }, QUIET_MS);
  quiet.unref();
  return {
    report: (event) => {
      view = advanceView(view, event);
      const line = logLine(view, event);
      if (line !== undefined) write(line);
    },
    say: (message) => void stream.write(`${message}\n`),
    stop: () => clearInterval(quiet),
  };
}

/** A block that is painted again where it has changed. */
function liveReporter(stream: NodeJS.WriteStream): ProgressReporter {
  let view = emptyView(Date.now());
  const live = createLogUpdate(stream);
  let painted = '';
  let isHidden = false;
  const paint = () => {
    const block = viewLines(view, Date.now()).join('\n');
    if (isHidden || block === painted) return;
    live(block);
    painted = block;
  };
  const timer = setInterval(paint, REPAINT_MS);
  return {
    report: (event) => {
      view = advanceView(view, event);
    },
    say: (message) => {
      live.clear();
      stream.write(`${message}\n`);
      painted = '';
      paint();
    },
    hide: () => {
      isHidden = true;
      live.clear();
      painted = '';
    },
    show: () => {
      isHidden = false;
      paint();
    },
    stop: () => {
      clearInterval(timer);
      paint();
      live.done();
    },
  };
}
