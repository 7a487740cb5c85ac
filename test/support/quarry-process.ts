import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { onTestFinished } from 'vitest';
import { COMMAND_FILE } from './command-file.ts';

/** The command line in a process of its own. */
export interface QuarryProcess {
  pid: number;
  /** What it has printed so far. */
  out(): string;
  err(): string;
  signal(signal: NodeJS.Signals): void;
  /** Resolves once the text has been printed, to either stream. */
  printed(text: string | RegExp): Promise<void>;
  /** Its exit status, or the signal that ended it. */
  ended: Promise<number | NodeJS.Signals>;
}

/** Starts the command line as users do; it is killed when the test ends, if it has not ended before. */
export function startQuarry(...args: string[]): QuarryProcess {
  return follow(startChild('ignore', args));
}

/** The same at the end of a pipe, of which the test is the beginning. */
export function startPipedQuarry(...args: string[]): QuarryProcess & { input: Writable } {
  const child = startChild('pipe', args);
  return { ...follow(child), input: child.stdin as Writable };
}

function startChild(stdin: 'ignore' | 'pipe', args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [COMMAND_FILE, ...args], {
    stdio: [stdin, 'pipe', 'pipe'],
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
  });
}

function follow(child: ChildProcess): QuarryProcess {
  const printed = { out: '', err: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (printed.out += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (printed.err += text));
  const ended = once(child, 'close').then(([status, signal]): number | NodeJS.Signals => status ?? signal);
  let hasEnded = false;
  void ended.then(() => {
    hasEnded = true;
  });
  onTestFinished(async () => {
    if (!hasEnded) child.kill('SIGKILL');
    await ended;
  });
  const all = () => printed.out + printed.err;
  return {
    pid: child.pid ?? 0,
    out: () => printed.out,
    err: () => printed.err,
    signal: (signal) => void child.kill(signal),
    printed: async (text) => {
      const isThere = () => (typeof text === 'string' ? all().includes(text) : text.test(all()));
      while (!isThere()) {
        if (hasEnded) throw new Error(`The process ended without printing ${text}: ${all()}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    ended,
  };
}

/** An emulator in a process of its own, on a folder that may have been another's before. */
export async function startEmulatorProcess(
  dir: string,
  {
    port = 0,
    timeScale = 1,
    modelEndpoint,
  }: { port?: number; timeScale?: number; modelEndpoint?: string } = {},
): Promise<QuarryProcess & { url: string; port: number }> {
  const emulator = startQuarry(
    ...['emulate', '--dir', dir, '--port', String(port)],
    ...['--track-records', '--time-scale', String(timeScale)],
    ...(modelEndpoint === undefined ? [] : ['--model-endpoint', modelEndpoint]),
  );
  await emulator.printed(/^http:\S+\n/m);
  const url = emulator.out().trim();
  return { ...emulator, url, port: Number(new URL(url).port) };
}
