/** Writes docs/images/watch.svg: `quarry watch` on a terminal, over a run in the emulator. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn as spawnOnTerminal } from '@lydell/node-pty';
import xterm from '@xterm/headless';

const [COLUMNS, ROWS] = [96, 26];
const MAIN = join(import.meta.dirname, '../src/cli/main.ts');
const IMAGE = join(import.meta.dirname, '../docs/images/watch.svg');
const [CELL_WIDTH, CELL_HEIGHT, MARGIN] = [8.4, 18, 14];
/** The colours that the view uses, of those that a terminal has. */
const COLOURS: Readonly<Record<number, string>> = { 1: '#f27a7a', 2: '#7fd88f', 3: '#e8c36a', 6: '#6cc7d9' };
const [TEXT, BACKGROUND] = ['#d6d9de', '#16181d'];

const FAULTS = [
  {
    when: { jobName: 'p000(0[5-9]|1[0-9])$' },
    fault: { kind: 'slow-stage', stage: 'InProgress', extraMs: 150_000 },
  },
  {
    when: { jobName: 'p0002[0-4]$' },
    fault: { kind: 'slow-stage', stage: 'Scheduled', extraMs: 600_000 },
  },
  {
    fault: {
      kind: 'record-errors',
      fraction: 0.004,
      errorCode: 400,
      errorMessage: 'The provided request is not valid.',
    },
  },
];

const TOPICS = ['The kettle', 'This lamp', 'The delivery', 'Their support', 'The manual'];
const VERDICTS = [
  'does what it says.',
  'broke in the second week.',
  'is fine for the price.',
  'surprised me.',
];

const started = Date.now();
const directory = await mkdtemp(join(tmpdir(), 'quarry-screenshot-'));
const children: ChildProcess[] = [];
try {
  const rows = Array.from(
    { length: 30_000 },
    (_, index) => `${index},${TOPICS[index % 5]} ${VERDICTS[index % 4]} Order ${index}.\n`,
  );
  await writeFile(join(directory, 'reviews.csv'), `id,review\n${rows.join('')}`);
  await writeFile(join(directory, 'faults.json'), JSON.stringify(FAULTS));
  const emulator = start('emulate', '--port', '0', '--faults', 'faults.json');
  const url = (await printed(emulator, /^http:\S+/m))[0] as string;
  const run = start(
    ...[
      'run',
      'reviews.csv',
      '--emulator',
      url,
      '--run-id',
      'customer-reviews',
      '--max-records-per-job',
      '1250',
    ],
    ...['--model-id', 'us.anthropic.claude-haiku-4-5-20251001-v1:0'],
    ...['--prompt-template', 'Is this customer happy? {review}'],
  );
  await printed(run, /Wave 2/);
  await writeFile(IMAGE, await screenOf(['watch', '--emulator', url]));
} finally {
  for (const child of children) child.kill('SIGKILL');
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
}

function start(...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [MAIN, ...args], { cwd: directory });
  children.push(child);
  return child;
}

/** Waits until a process has printed this. */
function printed(child: ChildProcess, text: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let all = '';
    const take = (chunk: Buffer) => {
      all += chunk;
      const found = text.exec(all);
      if (found !== null) resolve(found);
    };
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
    child.on('exit', () => reject(new Error(`It ended without ${text}: ${all}`)));
  });
}

/** The screen of a command as an image, once jobs have done some of their records. */
async function screenOf(args: readonly string[]): Promise<string> {
  const screen = new xterm.Terminal({ cols: COLUMNS, rows: ROWS, allowProposedApi: true });
  const child = spawnOnTerminal(process.execPath, [MAIN, ...args], {
    ...{ cols: COLUMNS, rows: ROWS, cwd: directory },
    env: { ...process.env, TERM: 'xterm-256color', LANG: 'C.UTF-8', FORCE_COLOR: '1' },
  });
  child.onData((text) => screen.write(text));
  const lines = () => Array.from({ length: ROWS }, (_, row) => screen.buffer.active.getLine(row));
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const text = lines()
      .map((line) => line?.translateToString(true))
      .join('\n');
    if (Date.now() > started + 170_000) throw new Error(text);
    if (/running +\S+ [1-9][\d,]* of/.test(text) && /\/min/.test(text) && /collected/.test(text)) break;
  }
  const image = svgOf(screen);
  child.kill();
  return image;
}

/** What is on a screen, cell by cell. */
function svgOf({ buffer: { active } }: InstanceType<typeof xterm.Terminal>): string {
  const texts: string[] = [];
  for (let row = 0; row < ROWS; row += 1) {
    const line = active.getLine(row);
    for (let column = 0; column < COLUMNS; column += 1) {
      const cell = line?.getCell(column);
      const text = cell?.getChars() ?? '';
      if (cell === undefined || text.trim() === '') continue;
      const [x, y] = [MARGIN + column * CELL_WIDTH, MARGIN + row * CELL_HEIGHT];
      const colour = cell.isFgPalette() ? (COLOURS[cell.getFgColor()] ?? TEXT) : TEXT;
      const isInverse = cell.isInverse() !== 0;
      if (isInverse) {
        texts.push(
          `<rect x="${x}" y="${y}" width="${CELL_WIDTH}" height="${CELL_HEIGHT}" fill="${colour}"/>`,
        );
      }
      texts.push(
        `<text x="${x.toFixed(1)}" y="${y + 13.5}" fill="${isInverse ? BACKGROUND : colour}"${cell.isDim() ? ' opacity="0.6"' : ''}${cell.isBold() ? ' font-weight="bold"' : ''}>${escaped(text)}</text>`,
      );
    }
  }
  const width = Math.ceil(COLUMNS * CELL_WIDTH + 2 * MARGIN);
  const height = ROWS * CELL_HEIGHT + 2 * MARGIN;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="quarry watch on a terminal">
<rect width="100%" height="100%" rx="8" fill="${BACKGROUND}"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14" xml:space="preserve">
${texts.join('\n')}
</g>
</svg>
`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
