import { execFile, execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const QUARRY = join(import.meta.dirname, '../../../bin/quarry.cjs');

/** The command in a folder: what it printed, and its status. */
async function quarryIn(cwd: string, ...args: string[]) {
  const run = promisify(execFile)(process.execPath, [QUARRY, ...args], { cwd });
  return run.then(
    ({ stdout }) => ({ status: 0, out: stdout, err: '' }),
    ({ code, stdout, stderr }) => ({ status: code, out: stdout, err: stderr }),
  );
}

test('a project that was just laid runs, from any folder below it, and is laid over nothing', async () => {
  const folder = await temporaryDirectory();
  await writeFile(join(folder, '.gitignore'), 'node_modules/');
  const { out } = await quarryIn(folder, 'init');
  expect(out).toContain('created  run.yaml\n');
  expect(await readFile(join(folder, '.gitignore'), 'utf8')).toBe('node_modules/\n.quarry/\n');

  const below = join(folder, 'a', 'b');
  await mkdir(below, { recursive: true });
  const run = await quarryIn(below, 'run', '--input', '../../run.yaml', '--json');
  expect(run).toMatchObject({ status: 0 });
  const summary = JSON.parse(run.out);
  expect(summary.rows).toMatchObject({ total: 3, succeeded: 3 });
  expect(summary.input).toMatchObject({
    prompt_template: expect.stringContaining('{review}'),
    system_prompt: 'You label reviews.',
    max_cost_usd: 5,
  });
  const runs = JSON.parse((await quarryIn(folder, 'runs', '--json')).out);
  expect(runs).toMatchObject([{ run_id: summary.run_id, at: 'local' }]);

  await writeFile(join(folder, 'run.yaml'), 'mine');
  expect((await quarryIn(folder, 'init')).out).toContain('kept     run.yaml\n');
  expect(await readFile(join(folder, 'run.yaml'), 'utf8')).toBe('mine');
}, 60_000);

describe('quarry.config.json', () => {
  test('holds what flags do not say, and config tells which of them says what', async () => {
    const folder = await temporaryDirectory();
    const file = join(folder, 'quarry.config.json');
    const role = 'arn:aws:iam::123456789012:role/batch';
    await writeFile(file, JSON.stringify({ target: 'bedrock', bucket: 'ours', roleArn: role, prompts: 'p' }));
    const { out } = await quarryIn(folder, 'config', '--json', '--bucket', 'mine');
    expect(JSON.parse(out)).toEqual(
      expect.arrayContaining([
        { option: 'target', value: 'bedrock', from: file },
        { option: 'bucket', value: 'mine', from: '--bucket' },
        { option: 'roleArn', value: role, from: file },
        { option: 'prompts', value: join(folder, 'p'), from: file },
        { option: 'directory', value: '.quarry', from: 'default' },
      ]),
    );
    // The options of another target do not come in the way of one that a flag names.
    expect(await quarryIn(folder, 'runs', '--target', 'local')).toMatchObject({ status: 0 });
    const { err } = await quarryIn(folder, 'runs', '--role-arn', 'x', '--region', 'us-east-1');
    expect(err).toContain('--role-arn "x" is not a role’s ARN');
  }, 60_000);

  test.each([
    ['{"bukket": "b"}', '"bukket" is not a key of it (did you mean "bucket"?)'],
    ['{"target": "moon"}', 'target: Invalid option'],
    ['{', 'is not JSON'],
  ])('of %s is refused', async (text, message) => {
    const folder = await temporaryDirectory();
    await writeFile(join(folder, 'quarry.config.json'), text);
    const { status, err } = await quarryIn(folder, 'runs');
    expect(status).toBe(1);
    expect(err).toContain(join(folder, 'quarry.config.json'));
    expect(err).toContain(message);
  });
});

test.each([
  ['none', '', 'There is no prompt_id "none". Known ids, the nearest first:'],
  ['empty', '---\ndescription: x\n---\n', 'has no text.'],
  ['odd', '---\nsystem: x\n---\nText {review}', 'it may have description, system_prompt, messages, model_id'],
])('the prompt %s of a folder is refused', async (id, text, message) => {
  const folder = await temporaryDirectory();
  await quarryIn(folder, 'init');
  if (text !== '') await writeFile(join(folder, 'prompts', `${id}.md`), text);
  const { status, err } = await quarryIn(folder, 'run', '--input', 'run.yaml', '--prompt-id', id);
  expect(status).toBe(1);
  expect(err).toContain(message);
});

test('a prompt’s file says what is run, from the command line and from a run input beside it', async () => {
  const folder = await temporaryDirectory();
  await quarryIn(folder, 'init');
  await writeFile(
    join(folder, 'label.md'),
    '---\nmodel_id: us.amazon.nova-micro-v1:0\noutput_schema: {mood: good | bad}\n---\nLabel {review}',
  );
  const plan = await quarryIn(folder, 'plan', 'reviews.csv', '--prompt-file', 'label.md', '--json');
  expect(JSON.parse(plan.out)).toMatchObject({ model_id: 'us.amazon.nova-micro-v1:0', rows: 3 });
  await mkdir(join(folder, 'runs'));
  const input = 'dataset: ../reviews.csv\nprompt_file: ../label.md\nmodel_id: us.amazon.nova-lite-v1:0\n';
  await writeFile(join(folder, 'runs', 'run.yaml'), input);
  const run = await quarryIn(folder, 'run', '--input', 'runs/run.yaml', '--json');
  expect(JSON.parse(run.out).input).toMatchObject({
    model_id: 'us.amazon.nova-lite-v1:0',
    prompt_template: 'Label {review}',
    output_schema: { mood: 'good | bad' },
  });
  const { status, err } = await quarryIn(folder, 'run', '--input', 'runs/run.yaml', '--prompt-file', 'no.md');
  expect(status).toBe(1);
  expect(err).toContain('The prompt "no.md" cannot be read: ENOENT');
}, 60_000);

test('bash completes commands, and the flags of each', async () => {
  const folder = await temporaryDirectory();
  const script = (await quarryIn(folder, 'completion', 'bash')).out;
  const complete = (...words: string[]) =>
    execFileSync('bash', [
      '-c',
      `${script}\nCOMP_WORDS=(quarry ${words.join(' ')}); COMP_CWORD=${words.length}; _quarry; echo "\${COMPREPLY[@]}"`,
    ])
      .toString()
      .trim();
  expect(complete('re')).toBe('results report resume rerun');
  expect(complete('run', '--tar')).toBe('--target');
  expect(complete('run', 'rev')).toBe('');
  for (const shell of ['zsh', 'fish']) {
    const { out } = await quarryIn(folder, 'completion', shell);
    expect(out).toContain('resume');
    expect(out).toContain('max-tokens');
  }
  expect((await quarryIn(folder, 'completion', 'tcsh')).err).toContain(
    'Allowed choices are bash, zsh, fish.',
  );
}, 60_000);
