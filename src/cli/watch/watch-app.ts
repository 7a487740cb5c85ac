import { Box, render, Text, useInput, useWindowSize } from 'ink';
import { createElement, type ReactElement, useState, useSyncExternalStore } from 'react';
import type { WatchView } from '../../index.ts';
import { glyphsOf, type ScreenLine, type Tone } from './screen-line.ts';
import { FIRST_STATE, pressed, type WatchKey } from './screen-state.ts';
import { watchScreen } from './watch-screen.ts';

/** Where the view is drawn, and who is told what. */
export interface WatchAppOptions {
  input: NodeJS.ReadStream;
  output: NodeJS.WriteStream;
  env: Readonly<Record<string, string | undefined>>;
  /** What `q` does, in a few words: `q leave`. */
  leaving: string;
  /** Called when `q` or Ctrl-C is pressed. */
  onLeave: (key: 'q' | 'ctrl-c') => void;
}

/** The full view on a terminal. */
export interface WatchApp {
  show(view: WatchView): void;
  /** Gives the terminal back as it was. */
  close(): Promise<void>;
}

/** Erases the screen, and goes to its first line. */
const CLEAR_SCREEN = '\u001b[2J\u001b[H';

/** Opens the full view, on a screen of its own. */
export function openWatchApp(options: WatchAppOptions): WatchApp {
  const { input, output } = options;
  const views = createViews();
  const app = render(createElement(Screen, { views, options }), {
    stdin: input,
    stdout: output,
    stderr: output,
    exitOnCtrlC: false,
    patchConsole: false,
    interactive: true,
    alternateScreen: true,
  });
  // A terminal lays what it shows out anew when its size changes: Ink would paint over the wrong lines.
  const onResize = () => {
    app.clear();
    output.write(CLEAR_SCREEN);
  };
  output.prependListener('resize', onResize);
  return {
    show: views.set,
    close: async () => {
      output.off('resize', onResize);
      app.unmount();
      await app.waitUntilExit();
    },
  };
}

/** The newest view, for whoever draws it. */
interface Views {
  get: () => WatchView | undefined;
  set: (view: WatchView) => void;
  subscribe: (onChange: () => void) => () => void;
}

function createViews(): Views {
  let newest: WatchView | undefined;
  const listeners = new Set<() => void>();
  return {
    get: () => newest,
    set: (view) => {
      newest = view;
      for (const listener of listeners) listener();
    },
    subscribe: (onChange) => {
      listeners.add(onChange);
      return () => listeners.delete(onChange);
    },
  };
}

function Screen({ views, options }: { views: Views; options: WatchAppOptions }): ReactElement {
  const { env, leaving, onLeave } = options;
  const view = useSyncExternalStore(views.subscribe, views.get);
  const [state, setState] = useState(FIRST_STATE);
  const { columns, rows } = useWindowSize();
  useInput((text, key) => {
    if (key.ctrl && text === 'c') return onLeave('ctrl-c');
    if (text === 'q') return onLeave('q');
    const pressedKey = keyOf(text, key);
    const now = views.get();
    if (pressedKey !== undefined && now !== undefined) setState((before) => pressed(before, pressedKey, now));
  });
  const size = { columns: Math.max(20, columns), rows: Math.max(8, rows), glyphs: glyphsOf(env) };
  const lines = watchScreen(view, state, { size, leaving });
  const hasColour = (env.NO_COLOR ?? '') === '';
  return createElement(
    Box,
    { flexDirection: 'column', width: columns, height: rows, overflow: 'hidden' },
    // A line is where it is: its place is its name.
    ...lines.map((line, index) => createElement(Line, { key: index, line, hasColour })),
  );
}

function keyOf(text: string, key: Parameters<Parameters<typeof useInput>[0]>[1]): WatchKey | undefined {
  if (key.upArrow || text === 'k') return 'up';
  if (key.downArrow || text === 'j') return 'down';
  if (key.return || key.rightArrow) return 'open';
  if (key.escape || key.leftArrow) return 'back';
  return text === 'a' ? 'answers' : undefined;
}

const COLOURS: Readonly<Record<Tone, { color?: string; dimColor?: true; bold?: true; inverse?: true }>> = {
  plain: {},
  dim: { dimColor: true },
  strong: { bold: true },
  good: { color: 'green' },
  busy: { color: 'cyan' },
  wait: { color: 'yellow' },
  bad: { color: 'red' },
  chosen: { inverse: true },
};

function Line({ line, hasColour }: { line: ScreenLine; hasColour: boolean }): ReactElement {
  const spans = line.map(({ text, tone }, index) =>
    createElement(Text, { key: index, ...(hasColour ? COLOURS[tone] : {}) }, text),
  );
  return createElement(
    Box,
    { height: 1, flexShrink: 0 },
    createElement(Text, { wrap: 'truncate-end' }, ...(spans.length === 0 ? [' '] : spans)),
  );
}
