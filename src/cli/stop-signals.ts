import { EXIT_INTERRUPTED } from './cli-error.ts';

/** The signals that stop a run: the first cleanly, the second at once. */
const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Does work that Ctrl-C or SIGTERM aborts: the first one cleanly, by the signal that it is given, after `onStopping`; the second
 * ends the process.
 */
export async function withStopSignals<T>(
  work: (signal: AbortSignal) => Promise<T>,
  onStopping: () => void,
): Promise<T> {
  const abort = new AbortController();
  const onStop = () => {
    if (abort.signal.aborted) process.exit(EXIT_INTERRUPTED);
    onStopping();
    abort.abort(new Error('Interrupted.'));
  };
  for (const signal of STOP_SIGNALS) process.on(signal, onStop);
  try {
    return await work(abort.signal);
  } finally {
    for (const signal of STOP_SIGNALS) process.off(signal, onStop);
  }
}
