import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startQuarry } from '../../support/quarry-process.ts';
import { runQuarry } from '../../support/run-quarry.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { openTerminal } from '../../support/terminal.ts';

/** The first job ends at once, some of its records in errors; those after it stay where they are. */
const FAULTS = [
  {
    when: { jobName: 'p0000[3-6]$' },
    fault: { kind: 'slow-stage', stage: 'InProgress', extraMs: 3_600_000 },
  },
  { when: { jobName: 'p00002$' }, fault: { kind: 'slow-stage', stage: 'Scheduled', extraMs: 3_600_000 } },
  {
    fault: {
      kind: 'record-errors',
      fraction: 0.03,
      errorCode: 400,
      errorMessage: 'No \u001b[31mred\u001b[0m.',
    },
  },
];

/** A sequence that sets a colour, or a weight. */
const COLOUR = new RegExp(`${String.fromCharCode(27)}\\[[\\d;]+m`);

/** The screens as they should be. */
const SCREENS = (name: string) => join(import.meta.dirname, '../../fixtures/screens', name);

/** A folder with an emulator whose jobs go on for an hour: the words that name it to the command, and those of a run. */
async function slowWorld(): Promise<{ where: string[]; run: string[] }> {
  const directory = await temporaryDirectory();
  const dir = join(directory, 'store');
  const [file, faults] = [join(directory, 'rows.csv'), join(directory, 'faults.json')];
  const rows = Array.from({ length: 1_200 }, (_, index) => `row ${index} \u001b[2J\u202e\n`);
  await writeFile(file, `name\n${rows.join('')}`);
  await writeFile(faults, JSON.stringify(FAULTS));
  const emulator = startQuarry('emulate', '--dir', dir, '--port', '0', '--faults', faults);
  await emulator.printed(/^http:\S+\n/m);
  const where = ['--dir', dir, '--emulator', emulator.out().trim()];
  const run = [
    ...['run', file, ...where, '--run-id', 'customer-reviews', '--max-records-per-job', '200'],
    ...['--model-id', 'us.anthropic.claude-haiku-4-5-20251001-v1:0', '--prompt-template', 'Say {name}'],
  ];
  return { where, run };
}

/** A run there, in another process; the words that watch it. */
async function longRun(): Promise<string[]> {
  const { where, run } = await slowWorld();
  await startQuarry(...run).printed('Wave 2');
  return ['watch', ...where];
}

/** The screen without what differs from run to run: processes, times, and which records come last. */
function normal(lines: readonly string[]): string {
  return `${lines
    .map((line) =>
      line
        .replace(/process \d+ on .*$/, 'process 1 on host')
        .replace(/\d+ s to .* left/, '1 s to 2 s left')
        .replace(/\d+ min( \d+ s)? to .* left/, '1 s to 2 s left')
        .replace(/ {2}\d+ (s|min)\b.*$/, '  9 s')
        .replace(/since \d{4}-\d\d-\d\d \d\d:\d\dZ/, 'since 2026-01-01 12:00Z')
        .replace(/r\d{10}.*$/, 'r0000000000 …')
        .replace(/, [\d.,]+ records a minute/, ''),
    )
    .join('\n')}\n`;
}

/** Wave 2 is under way: four jobs run, the last one is queued. */
const UNDER_WAY = /1 queued {2}. 4 running[\s\S]*\(the run goes on\)/;

test('a run is watched at 80, 60 and 140 columns, after a resize, without colour, and left to itself', {
  timeout: 240_000,
}, async () => {
  const watch = await longRun();
  const sizes = [
    [80, 24],
    [60, 18],
    [140, 40],
  ] as const;
  for (const [columns, rows] of sizes) {
    const terminal = openTerminal(watch, { columns, rows });
    const screen = await terminal.shows(UNDER_WAY);
    await expect(normal(screen)).toMatchFileSnapshot(SCREENS(`watch-${columns}.txt`));
    for (const line of screen) expect(line.length).toBeLessThanOrEqual(columns);
    terminal.press('q');
    expect(await terminal.ended).toBe(0);
    expect(await terminal.shows('is left to itself')).toContain('Run customer-reviews is left to itself.');
  }
  const [, ...where] = watch;
  // The same is told where it is asked for once.
  expect((await runQuarry('status', ...where)).out).toMatch(
    /\n {2}waiting {4}1 part: The job is queued at Bedrock, until there is capacity\. \(since \d{4}-/,
  );
  const plain = openTerminal(watch, { columns: 80, rows: 24, env: { NO_COLOR: '1' } });
  const wide = await plain.shows(UNDER_WAY);
  await expect(normal(wide)).toMatchFileSnapshot(SCREENS('watch-80.txt'));
  // Neither colour nor weight: the sequences of both end in m.
  expect(plain.sent()).not.toMatch(COLOUR);
  plain.resize(60, 18);
  const narrow = await readFile(SCREENS('watch-60.txt'), 'utf8');
  await expect.poll(() => normal(plain.screen()), { timeout: 30_000 }).toBe(narrow);
  plain.resize(80, 24);
  const usual = await readFile(SCREENS('watch-80.txt'), 'utf8');
  await expect.poll(() => normal(plain.screen()), { timeout: 30_000 }).toBe(usual);
  plain.press('ctrl-c');
  expect(await plain.ended).toBe(0);
});

test('keys open a part with its messages and an answer with its prompt; what they quote is shown and not obeyed', {
  timeout: 240_000,
}, async () => {
  const terminal = openTerminal(await longRun(), { columns: 100, rows: 30 });
  await terminal.shows(UNDER_WAY);
  // The collected part is listed last.
  for (let times = 0; times < 10; times += 1) terminal.press('down');
  await terminal.shows(/› p00001/);
  terminal.press('enter');
  const part = (await terminal.shows(/^Part p00001/)).join('\n');
  expect(part).toContain('Its job ended as Completed.');
  expect(part).toMatch(/400: \d+, such as r\d+: No \\u001b\[31mred\\u001b\[0m\./);
  terminal.press('a');
  await terminal.shows('Newest answers, of a simulated model');
  terminal.press('enter');
  const answer = (await terminal.shows('Asked')).join('\n');
  expect(answer).toMatch(/^r\d{10} of part p00001/);
  expect(answer).toMatch(/Say row \d+ \\u001b\[2J\\u202e/);
  terminal.press('escape');
  await terminal.shows('Newest answers, of a simulated model');
  terminal.press('escape');
  await terminal.shows(UNDER_WAY);
  terminal.press('q');
  expect(await terminal.ended).toBe(0);
});

test('a terminal that cannot be drawn on gets lines', { timeout: 240_000 }, async () => {
  const terminal = openTerminal(await longRun(), { env: { TERM: 'dumb' } });
  await terminal.shows(/Z Run customer-reviews: running/);
  expect(terminal.sent()).not.toContain('\u001b');
  terminal.press('ctrl-c');
  expect(await terminal.ended).toBe(0);
});

test('run and resume show the full view with --watch: q brings the live block back, Ctrl-C stops the run', {
  timeout: 240_000,
}, async () => {
  const { where, run } = await slowWorld();
  const terminal = openTerminal([...run, '--watch']);
  await terminal.shows(/1 queued {2}. 4 running[\s\S]*q close this view/);
  terminal.press('q');
  await terminal.shows(/Run jobs {4}wave 2: [\s\S]*Elapsed/);
  terminal.press('ctrl-c');
  expect(await terminal.ended).toBe(130);
  await terminal.shows('To continue: quarry resume customer-reviews');
  const resumed = openTerminal(['resume', ...where, '--watch']);
  await resumed.shows(/1 queued {2}. 4 running[\s\S]*q close this view/);
  resumed.press('ctrl-c');
  expect(await resumed.ended).toBe(130);
  const end = (await resumed.shows('To continue: quarry resume customer-reviews')).join('\n');
  expect(end).toContain('Stopping; press Ctrl-C again to stop at once.');
});
