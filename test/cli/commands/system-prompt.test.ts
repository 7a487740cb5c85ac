import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RunPlan } from '../../../src/core/plan/run-plan.ts';
import { runLayout, runUriOf } from '../../../src/runs/run-layout.ts';
import type { StepDeps } from '../../../src/steps/deps.ts';
import { readPlan } from '../../../src/steps/run/read-plan.ts';
import { createDirectoryStore } from '../../../src/store/directory-store.ts';
import { readJson, writeJson } from '../../../src/store/json-object.ts';
import { runQuarry } from '../../support/run-quarry.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const RUN = ['--model-id', 'us.anthropic.claude-haiku-4-5-20251001-v1:0', '--run-id', 'small'];
const ROWS = '{"a":"x","lang":"Dutch"}\n{"a":"y","lang":null}\n{"a":"z","lang":"\\"Old\\" Norse"}\n';

async function rows(): Promise<{ file: string; dir: string }> {
  const directory = await temporaryDirectory();
  const file = join(directory, 'rows.jsonl');
  await writeFile(file, ROWS);
  return { file, dir: join(directory, 'store') };
}

test('each row has its own system prompt, and one whose placeholder is null is not sent', async () => {
  const { file, dir } = await rows();
  const { status, out } = await runQuarry(
    ...['run', file, '--dir', dir, ...RUN, '--prompt-template', '{a}?', '--system-prompt', 'Speak {lang}.'],
  );
  expect(status).toBe(2);
  expect(out).toContain('NullPromptValue: 1 row, such as r0000000001');
  const records = await readFile(join(dir, 'quarry-local/working/small/parts/p00001/records.jsonl'), 'utf8');
  const bodies = records
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).modelInput);
  expect(bodies.map(({ system }) => system)).toEqual(['Speak Dutch.', 'Speak "Old" Norse.']);
  expect(bodies.map(({ messages }) => messages[0].content[0].text)).toEqual(['x?', 'z?']);
});

test('a column says by which prompt its row is asked, and the plan says how many each has', async () => {
  const { file, dir } = await rows();
  await writeFile(file, '{"a":"x","kind":"q"}\n{"a":"y","kind":"z"}\n{"a":"z","kind":"q"}\n');
  const asked = ['--prompt-id-column', 'kind', '--prompt-templates', '{"q": "{a}?", "x": "{b}"}'];
  const { out } = await runQuarry('plan', file, '--dir', dir, ...RUN, ...asked);
  expect(out).toContain('  prompts    q 2 rows, none 1 row\n');
  expect(out).toContain(
    '1 row is not sent (UnknownPromptId), as column "kind" has no prompt’s id there: "z" in 1 from row 1 on.',
  );
  const report = JSON.parse((await runQuarry('plan', file, '--dir', dir, ...RUN, ...asked, '--json')).out);
  expect(report).toMatchObject({
    prompt_ids: { known: [{ prompt_id: 'q', rows: 2 }], unknown: { rows: 1, values: 1 } },
  });
});

test('identical prompts under different system prompts are different requests', async () => {
  const { file, dir } = await rows();
  await writeFile(file, '{"a":"x","lang":"Dutch"}\n{"a":"x","lang":"Norse"}\n{"a":"x","lang":"Dutch"}\n');
  const { out } = await runQuarry(
    ...['plan', file, '--dir', dir, ...RUN, '--prompt-template', '{a}?', '--dedupe', '--json'],
    ...['--system-prompt', 'Speak {lang}.'],
  );
  expect(JSON.parse(out)).toMatchObject({ rows: 3, duplicates: 1 });
});

test('a placeholder of a system prompt that is no column is refused, and nothing is spent', async () => {
  const { file, dir } = await rows();
  const refused = async (systemPrompt: string) => {
    const { status, err } = await runQuarry(
      ...['run', file, '--dir', dir, ...RUN, '--prompt-template', '{a}?', '--system-prompt', systemPrompt],
    );
    expect(status).toBe(1);
    return err;
  };
  expect(await refused('Speak {tongue}.')).toContain(
    'The system prompt needs column "tongue", which the dataset does not have. The dataset has a, lang.\n',
  );
  expect(await refused('Answer {"a": 1}.')).toContain(
    'The system prompt needs column ""a": 1", which the dataset does not have. The dataset has a, lang. Write braces that are not placeholders twice: {{"a": 1}}.\n',
  );
  expect((await runQuarry('runs', '--dir', dir)).out).toContain('There are no runs');
});

test('a run planned when system prompts had no placeholders goes on with its braces as they were', async () => {
  const { file, dir } = await rows();
  await runQuarry(
    'run',
    file,
    '--dir',
    dir,
    ...RUN,
    '--prompt-template',
    '{a}?',
    '--system-prompt',
    'Be kind.',
  );
  const store = createDirectoryStore(dir);
  const runUri = runUriOf('quarry-local', 'small');
  const { variants, ...plan } = await readJson(store, runLayout(runUri).plan, RunPlan);
  const { system_placeholders: _, ...variant } = variants[0];
  const input = { ...plan.input, system_prompt: 'Answer as {"a": 1}.' };
  await writeJson(store, runLayout(runUri).plan, { ...plan, variants: [variant], input });
  const [planned] = (await readPlan(runUri, { store } as unknown as StepDeps)).variants;
  expect(planned?.call.systemText).toBe('Answer as {"a": 1}.');
});
