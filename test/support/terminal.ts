import { spawn } from '@lydell/node-pty';
import xterm from '@xterm/headless';
import { onTestFinished } from 'vitest';
import { COMMAND_FILE } from './command-file.ts';

/** Milliseconds after which a screen that has not come does not come any more. */
const PATIENCE_MS = 240_000;

/** What a terminal sends for a key. */
const KEYS = { up: '\u001b[A', down: '\u001b[B', enter: '\r', escape: '\u001b', 'ctrl-c': '\u0003' } as const;

/** The command line on a terminal of its own, read as a person would read its screen. */
export interface Terminal {
  /** The lines of the screen, without blanks at their ends. */
  screen(): string[];
  /** All that was sent to it. */
  sent(): string;
  press(key: keyof typeof KEYS | (string & {})): void;
  resize(columns: number, rows: number): void;
  /** Resolves with the screen once it shows the text. */
  shows(text: string | RegExp): Promise<string[]>;
  ended: Promise<number>;
}

/** Starts the command line, or another program of the checkout, on a terminal of this size. */
export function openTerminal(
  args: readonly string[],
  {
    columns = 80,
    rows = 24,
    env = {},
    program = COMMAND_FILE,
  }: { columns?: number; rows?: number; env?: Record<string, string>; program?: string } = {},
): Terminal {
  const screen = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
  const { CI: _, NO_COLOR: __, ...inherited } = process.env;
  const child = spawn(process.execPath, [program, ...args], {
    cols: columns,
    rows,
    env: { ...inherited, NODE_NO_WARNINGS: '1', TERM: 'xterm-256color', LANG: 'C.UTF-8', ...env },
  });
  let sent = '';
  child.onData((text) => {
    sent += text;
    screen.write(text);
  });
  let hasEnded = false;
  const ended = new Promise<number>((resolve) => {
    child.onExit(({ exitCode }) => {
      hasEnded = true;
      resolve(exitCode);
    });
  });
  onTestFinished(async () => {
    if (!hasEnded) child.kill('SIGKILL');
    await ended;
    screen.dispose();
  });
  const lines = () => {
    const { active } = screen.buffer;
    return Array.from(
      { length: screen.rows },
      (_line, index) => active.getLine(active.viewportY + index)?.translateToString(true) ?? '',
    );
  };
  return {
    screen: lines,
    sent: () => sent,
    press: (key) => child.write(KEYS[key as keyof typeof KEYS] ?? key),
    resize: (toColumns, toRows) => {
      screen.resize(toColumns, toRows);
      child.resize(toColumns, toRows);
    },
    shows: async (text) => {
      const until = Date.now() + PATIENCE_MS;
      for (;;) {
        const now = lines();
        const joined = now.join('\n');
        if (typeof text === 'string' ? joined.includes(text) : text.test(joined)) return now;
        if (Date.now() > until) throw new Error(`The screen does not show ${text}:\n${joined}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    ended,
  };
}
