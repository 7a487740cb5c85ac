import type { WatchView } from '../../index.ts';
import type { CliContext } from '../cli-context.ts';
import type { WatchApp } from './watch-app.ts';

/** True where there is a terminal that can be drawn on and typed into. */
export function hasFullTerminal(input: NodeJS.ReadStream, output: NodeJS.WriteStream): boolean {
  return output.isTTY === true && input.isTTY === true && process.env.TERM !== 'dumb';
}

/** How a full view has ended: by the run's end, or by whoever watched. */
export type ViewEnd = { kind: 'ended'; last: WatchView | undefined } | { kind: 'left'; key: 'q' | 'ctrl-c' };

/** What is drawn where. */
interface FullViewOptions extends Pick<CliContext, 'in'> {
  output: NodeJS.WriteStream;
  leaving: string;
  /** Ends the view from outside. */
  signal: AbortSignal;
}

/** Draws views on a terminal of their own until they end, or whoever watches leaves them. */
export async function drawViews(
  viewsUntil: (signal: AbortSignal) => AsyncIterable<WatchView>,
  { in: input, output, leaving, signal }: FullViewOptions,
): Promise<ViewEnd> {
  const left = new AbortController();
  let key: 'q' | 'ctrl-c' = 'q';
  const app = await openApp({
    input,
    output,
    leaving,
    onLeave: (pressed) => {
      key = pressed;
      left.abort(new Error('Left.'));
    },
  });
  let last: WatchView | undefined;
  try {
    for await (const view of viewsUntil(AbortSignal.any([signal, left.signal]))) {
      last = view;
      app.show(view);
    }
  } finally {
    await app.close();
  }
  return left.signal.aborted || signal.aborted ? { kind: 'left', key } : { kind: 'ended', last };
}

/** Ink and React take their time to load: nobody else waits for them. */
async function openApp(options: {
  input: NodeJS.ReadStream;
  output: NodeJS.WriteStream;
  leaving: string;
  onLeave: (key: 'q' | 'ctrl-c') => void;
}): Promise<WatchApp> {
  // React keeps a record of each drawing elsewhere, and is slower.
  process.env.NODE_ENV ??= 'production';
  const { openWatchApp } = await import('./watch-app.ts');
  return openWatchApp({ ...options, env: process.env });
}
