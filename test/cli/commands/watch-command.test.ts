import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { WatchEvent } from '../../../src/quarry/watch/watch-event.ts';
import { startQuarry } from '../../support/quarry-process.ts';
import { runQuarry } from '../../support/run-quarry.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const RUN_FLAGS = [
  ...['--model-id', 'us.anthropic.claude-haiku-4-5-20251001-v1:0', '--prompt-template', 'Say {name}'],
  ...['--max-records-per-job', '400', '--run-id', 'watched'],
];

async function dataset(rows = 1_200) {
  const directory = await temporaryDirectory();
  const dir = join(directory, 'store');
  const file = join(directory, 'rows.csv');
  await writeFile(file, `name\n${Array.from({ length: rows }, (_, index) => `row ${index}\n`).join('')}`);
  return { dir, run: ['run', file, ...RUN_FLAGS, '--dir', dir] };
}

const eventsIn = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => WatchEvent.parse(JSON.parse(line)));

/** Every file of a folder, with its size and when it was changed. */
async function stateOf(directory: string): Promise<string[]> {
  const names = await readdir(directory, { recursive: true });
  return Promise.all(
    names.toSorted().map(async (name) => {
      const { size, mtimeMs } = await stat(join(directory, name));
      return `${name} ${size} ${mtimeMs}`;
    }),
  );
}

test('a run of another process is watched to its end by several at once, as lines and as events', async () => {
  const { dir, run } = await dataset();
  const runner = startQuarry(...run);
  await runner.printed('Wave 1');
  const [lines, events] = await Promise.all([
    runQuarry('watch', '--dir', dir),
    runQuarry('watch', 'watch', '--dir', dir, '--json'),
  ]);
  expect(await runner.ended).toBe(0);
  expect([lines.status, lines.err, events.status, events.err]).toEqual([0, '', 0, '']);
  expect(lines.out).toMatch(/^\S+Z Run watched: running, 1,200 rows in 3 parts; process \d+ on /m);
  expect(lines.out).toMatch(/^\S+Z Newest answer \(simulated\), r\d+: \[simulated .*The prompt has/m);
  expect(lines.out).toMatch(
    /^\S+Z Ended as succeeded: 1,200 of 1,200 rows answered, 0 not, nothing paid, \$0\.\d+ had it been Bedrock’s\n$/m,
  );
  const told = eventsIn(events.out);
  expect(told[0]).toMatchObject({ event: 'run', run_id: 'watched', status: 'running', simulated: true });
  expect(told.at(-1)).toMatchObject({
    event: 'end',
    status: 'succeeded',
    rows: { total: 1_200, succeeded: 1_200, unanswered: 0 },
  });
  expect(new Set(told.map(({ event }) => event))).toEqual(
    new Set(['run', 'part', 'progress', 'answer', 'end']),
  );
  const progress = told.findLast((event) => event.event === 'progress');
  expect(progress).toMatchObject({ parts: { collected: 3 }, usd: { billed: false } });
});

test('watching a run that stands still changes no file, says so, and how it goes on', async () => {
  const { dir, run } = await dataset();
  const runner = startQuarry(...run);
  await runner.printed('Wave 1');
  runner.signal('SIGINT');
  expect(await runner.ended).toBe(130);
  const before = await stateOf(dir);
  const { status, out, err } = await runQuarry('watch', '--dir', dir);
  expect(await stateOf(dir)).toEqual(before);
  expect([status, err]).toEqual([1, '']);
  expect(out).toMatch(/Run watched: stopped, 1,200 rows in 3 parts; nobody is working on it\n/);
  expect(out).toContain(`To continue: quarry resume watched --dir ${dir}\n`);
  const told = eventsIn((await runQuarry('watch', '--dir', dir, '--json')).out);
  expect(told.at(-1)).toMatchObject({ event: 'end', status: 'stopped' });
});

test('whoever watches sees a run go on that was taken up again', async () => {
  const { dir, run } = await dataset();
  const first = startQuarry(...run);
  await first.printed('Wave 1');
  first.signal('SIGKILL');
  await first.ended;
  const second = startQuarry('resume', '--dir', dir);
  await second.printed('Wave 1');
  const told = eventsIn((await runQuarry('watch', '--dir', dir, '--json')).out);
  expect(await second.ended).toBe(0);
  expect(told.at(-1)).toMatchObject({ event: 'end', status: 'succeeded', rows: { succeeded: 1_200 } });
});

test('status follows a run of another process: to its end, until Ctrl-C, and no further than the run goes', {
  timeout: 240_000,
}, async () => {
  const { dir, run } = await dataset();
  const faults = join(dir, '..', 'faults.json');
  await writeFile(
    faults,
    JSON.stringify([{ fault: { kind: 'slow-stage', stage: 'InProgress', extraMs: 20_000 } }]),
  );
  const emulator = startQuarry('emulate', '--dir', dir, '--port', '0', '--faults', faults);
  await emulator.printed(/^http:\S+\n/m);
  const first = startQuarry(...run, '--emulator', emulator.out().trim());
  await first.printed('Wave 1');
  const left = startQuarry('status', '--follow', '--dir', dir);
  await left.printed(/Z Wave 1/);
  left.signal('SIGINT');
  expect(await left.ended).toBe(130);
  expect(left.err()).toContain('The run goes on; press Ctrl-C again to leave at once.');
  expect(left.err()).toContain(
    `Detached: The run goes on in its own process.\nTo follow it again: quarry status watched --follow --dir ${dir}\n`,
  );
  const outlived = startQuarry('status', '--follow', '--dir', dir);
  await outlived.printed(/Z Wave 1/);
  first.signal('SIGINT');
  expect(await first.ended).toBe(130);
  expect(await outlived.ended).toBe(130);
  expect(outlived.err()).toContain(`To continue: quarry resume watched --dir ${dir}\n`);
  const nobody = await runQuarry('status', '--follow', '--dir', dir);
  expect(nobody.out).toContain('No process is working on it.');
  const second = startQuarry('resume', '--dir', dir);
  await second.printed('Wave 1');
  const followed = await runQuarry('status', '--follow', '--dir', dir, '--json');
  expect(await second.ended).toBe(0);
  expect(JSON.parse(followed.out)).toMatchObject({ status: 'succeeded', rows: { succeeded: 1_200 } });
  expect(followed.err).toMatch(/Z Collected p00003: 400 rows answered/);
});

test('a run that there is not is refused, in one object with --json', async () => {
  const { dir } = await dataset(1);
  const { status, out, err } = await runQuarry('watch', 'nothing', '--dir', dir, '--json');
  expect(status).toBe(1);
  expect(JSON.parse(out)).toMatchObject({ status: 'failed', error: 'InvalidRunInputError' });
  expect(err).toContain('There is no run "nothing"');
});
