import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RunPlan } from '../../../src/core/plan/run-plan.ts';
import { simulatedAnswer } from '../../../src/emulator/models/simulated-model.ts';
import { readReport } from '../../../src/report/read-report.ts';
import { runLayout, runUriOf } from '../../../src/runs/run-layout.ts';
import { plannedRunOf } from '../../../src/steps/run/read-plan.ts';
import { readJson } from '../../../src/store/json-object.ts';
import { LOCAL_BUCKET, sha256 } from '../../../src/targets/local/local-target.ts';
import { stageDataset } from '../../../src/targets/local/stage-dataset.ts';
import { MODEL, openEmulatedTarget, outputRows, runEmulated } from '../../support/emulated-run.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const prompt_templates = {
  praise: 'Thank for "{text}", in {language}.',
  complaint: 'Answer {text} {{kindly}}',
  never: 'No row names this one, whose {column} is nowhere.',
};

interface TestRow {
  kind: string | null;
  text: string;
  language: string | null;
  asked?: string;
  code?: string;
}

/** What row N has, and how it is to be asked; null where it is not sent, for the reason in `code`. */
function rowOf(row: number): TestRow {
  const text = `it's, "fine" ${row % 40}`;
  if (row % 10 === 3) return { kind: 'prase', text, language: 'en', code: 'UnknownPromptId' };
  if (row % 10 === 7) return { kind: null, text, language: 'en', code: 'UnknownPromptId' };
  if (row % 10 === 8) return { kind: 'praise', text, language: null, code: 'NullPromptValue' };
  // What another prompt needs is no matter here.
  if (row % 2 === 0) return { kind: 'complaint', text, language: null, asked: `Answer ${text} {kindly}` };
  return { kind: 'praise', text, language: 'en', asked: `Thank for "${text}", in en.` };
}

async function writeRows(directory: string, rows: number): Promise<string> {
  const path = join(directory, 'rows.jsonl');
  const lines = Array.from({ length: rows }, (_, row) => {
    const { kind, text, language } = rowOf(row);
    return JSON.stringify({ kind, text, language });
  });
  await writeFile(path, `${lines.join('\n')}\n`);
  const { uri } = await stageDataset(path, { directory, bucket: LOCAL_BUCKET, hash: sha256 });
  return uri;
}

const keys = { model_id: MODEL, prompt_id_column: 'kind', prompt_templates, run_id: 'kinds' };

test.each([{}, { dedupe: true }])(
  'each row is asked by the prompt that it names, and what names none is not sent: %j',
  async (more) => {
    const directory = await temporaryDirectory();
    await using emulated = await openEmulatedTarget({ directory });
    const input = { ...keys, ...more, s3_uri: await writeRows(directory, 300), max_records_per_job: 150 };
    const result = await runEmulated(input, { target: emulated.target, random: () => 0.5 });
    if (result.kind !== 'finished') throw new Error(JSON.stringify(result));
    expect(result.summary).toMatchObject({
      status: 'partly_succeeded',
      rows: { total: 300, succeeded: 210, failed: 0, not_sent: 90 },
      reasons: [
        {
          error_code: 'UnknownPromptId',
          rows: 60,
          example_message:
            'What this row has in the prompt_id_column is null, or no prompt’s id, so the row was not sent.',
        },
        { error_code: 'NullPromptValue', rows: 30 },
      ],
    });
    const rows = await outputRows(result, directory);
    for (const [index, row] of rows.entries()) {
      const { asked, code } = rowOf(index);
      expect([row.error_code, row.response], `row ${index}`).toEqual([
        code ?? null,
        asked === undefined ? null : simulatedAnswer(MODEL, asked),
      ]);
    }
    const { totals, onDemand } = await emulated.emulator.usage();
    const distinct = new Set(Array.from({ length: 300 }, (_, row) => rowOf(row).asked).filter(Boolean)).size;
    expect(totals.answered + onDemand.calls).toBe('dedupe' in more ? distinct : 210);

    // The same command again is the same run; the plan keeps the prompts that rows name, as they were.
    const again = await runEmulated(input, { target: emulated.target, random: () => 0.5 });
    expect(again).toMatchObject({ kind: 'finished', summary: { run_id: 'kinds' } });
    expect((await emulated.emulator.usage()).totals.answered).toBe(totals.answered);
    const other = { ...prompt_templates, praise: 'Say {text}' };
    expect(
      await runEmulated(
        { ...input, prompt_templates: other },
        { target: emulated.target, random: () => 0.5 },
      ),
    ).toMatchObject({
      kind: 'failed',
      message: expect.stringMatching('Run "kinds" exists, with another input: prompt_templates differ.'),
    });
  },
);

test('the plan counts the rows of each prompt, prices what is sent, and the report shows each row’s own prompt', async () => {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({ directory });
  const { store } = emulated.target.deps;
  const s3_uri = await writeRows(directory, 200);
  const input = { ...keys, s3_uri, inference_parameters: { max_tokens: 10 } };
  const result = await runEmulated(input, { target: emulated.target, random: () => 0.5 });
  if (result.kind !== 'finished') throw new Error(JSON.stringify(result));
  const layout = runLayout(runUriOf(LOCAL_BUCKET, 'kinds'));
  const plan = await readJson(store, layout.plan, RunPlan);
  expect(plan).toMatchObject({
    variants: [
      {
        prompt_template: null,
        prompt_templates: { praise: expect.any(String), complaint: expect.any(String) },
      },
    ],
    prompt_ids: {
      known: [
        { prompt_id: 'complaint', rows: 80, first_row: 0 },
        { prompt_id: 'praise', rows: 80, first_row: 1 },
      ],
      unknown: {
        rows: 40,
        values: 2,
        first: [
          { value: 'prase', rows: 20, first_row: 3 },
          { value: null, rows: 20, first_row: 7 },
        ],
      },
    },
    notes: [
      '40 rows are not sent (UnknownPromptId), as column "kind" has no prompt’s id there: "prase" in 20 from row 3 on, null in 20 from row 7 on.',
    ],
    // 140 rows can be asked: none of those is priced that is not sent.
    estimate: { max_output_tokens: 1400 },
  });
  const report = await readReport({
    layout,
    plan,
    summary: result.summary,
    store,
    scratchDirectory: directory,
  });
  const shown = new Map(report.rows.map(({ record_id, prompt }) => [record_id, prompt?.text ?? null]));
  for (const row of [0, 1, 3, 7, 8]) {
    expect(shown.get(`r${String(row).padStart(10, '0')}`), `row ${row}`).toBe(rowOf(row).asked ?? null);
  }
  expect(plannedRunOf(plan, layout).variants[0]?.call.templates).not.toHaveProperty('never');
});

test('a bad answer is shown to the model in the conversation that its row’s prompt began', async () => {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({
    directory,
    emulator: { faults: [{ fault: { kind: 'broken-answers', fraction: 0.5, firstAttemptOnly: true } }] },
  });
  const s3_uri = await writeRows(directory, 400);
  const input = { ...keys, s3_uri, output_schema: { label: 'good | bad' } };
  const result = await runEmulated(input, { target: emulated.target, random: () => 0.5 });
  expect(result).toMatchObject({
    kind: 'finished',
    summary: { rows: { total: 400, succeeded: 280, failed: 0, not_sent: 120 } },
  });
  const repaired = join(directory, LOCAL_BUCKET, 'working/kinds/parts/w2p00001/records.jsonl');
  const lines = (await readFile(repaired, 'utf8')).trimEnd().split('\n');
  expect(lines.length).toBeGreaterThan(100);
  for (const line of lines) {
    const { recordId, modelInput } = JSON.parse(line);
    const [asked, ...others] = modelInput.messages;
    expect(others).toHaveLength(2);
    expect(JSON.stringify(asked.content)).toContain(
      JSON.stringify(rowOf(Number(recordId.slice(1))).asked).slice(1, -1),
    );
  }
});

test('what no row can be asked by is refused, with what the column has', async () => {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({ directory });
  const s3_uri = await writeRows(directory, 20);
  const refused = async (more: object) => {
    const input = { ...keys, s3_uri, ...more };
    const result = await runEmulated(input, { target: emulated.target, random: () => 0.5 });
    return result.kind === 'failed' ? result.message : result.kind;
  };
  expect(await refused({ prompt_templates: { a: '{text}' } })).toContain(
    'No row has the id of a prompt in prompt_id_column "kind". It has "complaint", "praise", "prase", null. The ids are a.',
  );
  expect(await refused({ prompt_id_column: 'knd' })).toContain(
    'prompt_id_column "knd" is not a column. The dataset has kind, text, language.',
  );
  expect(await refused({ prompt_templates: { praise: 'Say {txt}', complaint: '{text}' } })).toContain(
    'The prompt "praise" needs column "txt", which the dataset does not have.',
  );
  expect(await refused({ prompt_templates: { praise: 'Say it', complaint: '{text}' } })).toContain(
    'The prompt "praise" has no placeholder, so it would ask the same question of every row.',
  );
});
