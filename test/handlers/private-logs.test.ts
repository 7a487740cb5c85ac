import { expect, test, vi } from 'vitest';
import { InvalidDatasetError } from '../../src/core/errors.ts';
import { privately } from '../../src/core/text/private-text.ts';
import { STEP_NAMES, type StepName } from '../../src/workflow/definition.ts';
import { useFunctionWorld } from '../support/function-world.ts';

vi.setConfig({ testTimeout: 60_000 });

/** A word that is in the dataset only. */
const SECRET = 'heliotrope';
const RUN_URI = 's3://data-bucket/runs/jokes';
const DATASET = 'data-bucket/datasets/topics.jsonl';

const world = useFunctionWorld({ AWS_MAX_ATTEMPTS: '1' });

const INPUT = {
  s3_uri: `s3://${DATASET}`,
  model_id: 'us.anthropic.claude-haiku-4-5-20251001-v1:0',
  prompt_template: 'A joke about {topic}',
  run_id: 'jokes',
};

async function call(step: StepName, input: unknown): Promise<unknown> {
  return await world.call(step, input, { awsRequestId: 'request' });
}

/** What a step ends with; what Lambda would log of it too. */
async function failureOf(step: StepName, input: unknown): Promise<Error> {
  const error = await call(step, input).then(
    () => expect.fail(`${step} did not fail.`),
    (thrown: unknown) => thrown as Error,
  );
  world.lines.push(`${error.name} ${error.message} ${error.stack} ${String(error.cause)}`);
  return error;
}

/** Nothing that would be in a log has the secret. */
function expectNoSecret(): void {
  const logged = world.lines.join('\n');
  expect(logged).toContain('"level":"ERROR"');
  expect(logged).not.toContain(SECRET);
}

function putRows(rows: number): void {
  const text = Array.from({ length: rows }, (_, row) =>
    JSON.stringify({ topic: `${SECRET} ${row}`, [SECRET]: 1 }),
  );
  world.s3.objects.set(DATASET, Buffer.from(`${text.join('\n')}\n`));
}

test.each<[string, string, Record<string, unknown>, string]>([
  [
    'a line that is no JSON',
    `{"topic": "fine"}\n{"topic": ${SECRET}}\n`,
    {},
    `Line 2 of s3://${DATASET} is not JSON (…).`,
  ],
  [
    'a name of a column that is Quarry’s own',
    `{"topic": 1, "__quarry_${SECRET}": 2}\n`,
    {},
    'has a column …, a name that Quarry needs itself',
  ],
  [
    'record ids that several rows have',
    `{"topic": "${SECRET}"}\n{"topic": "${SECRET}"}\n`,
    { record_id_column: 'topic' },
    'values that several rows have: 1, such as ….',
  ],
  ['names of columns that the prompt lacks', `{"${SECRET}": "x"}\n`, {}, 'The dataset has ….'],
])(
  'Plan that refuses %s says what is wrong where, and no log has the dataset’s words',
  async (_, text, keys, said) => {
    world.s3.objects.set(DATASET, Buffer.from(text));
    const error = await failureOf('plan', { ...INPUT, ...keys });
    expect(error.message).toContain(said);
    expect(error.name).toMatch(/^Invalid(Dataset|RunInput)Error$/);
    expectNoSecret();
  },
);

/** The run so far, and what each of the other steps is handed. */
async function startedRun(): Promise<Record<Exclude<StepName, 'plan'>, unknown>> {
  putRows(120);
  const state = (await call('plan', INPUT)) as Record<string, unknown>;
  await call('prepare', { run_uri: RUN_URI, slice: 0 });
  await call('dispatch', { ...state, run_uri: RUN_URI, wave: 0 });
  const [item] = JSON.parse(
    world.s3.objects.get('data-bucket/runs/jokes/waves/1/items.json')?.toString() ?? '[]',
  );
  const repair = { ...item, part_id: 'w2p00001', wave: 2, repair: true };
  world.s3.objects.set(
    'data-bucket/runs/jokes/waves/2/parts.json',
    Buffer.from(
      JSON.stringify([{ ...repair, sources: [{ part_id: 'p00001', owed_from: 0, owed_count: 3 }] }]),
    ),
  );
  const merging = { parts: [{ part_id: 'p00001', repairs: [], elsewhere: false }] };
  world.s3.objects.set('data-bucket/runs/jokes/waves/1/merge.json', Buffer.from(JSON.stringify(merging)));
  return {
    prepare: { run_uri: RUN_URI, slice: 0 },
    dispatch: { ...state, run_uri: RUN_URI, wave: 1 },
    repack: repair,
    submit: item,
    runOnDemand: { ...item, mode: 'on_demand' },
    collect: { part: item, fault: { Error: 'JobQuotaExceededError', Cause: '{"errorMessage":"none"}' } },
    merge: { run_uri: RUN_URI, part_id: 'p00001', wave: 1 },
    summarize: { ...state, run_uri: RUN_URI, wave: 1 },
  };
}

/** What each step reads, beside the plan, that may hold the dataset's words. */
const READ: Record<Exclude<StepName, 'plan'>, string[]> = {
  prepare: ['runs/jokes/slices/00000.json', 'working/jokes/slices/00000.json'],
  dispatch: [
    'runs/jokes/ledger/p00001.json',
    'runs/jokes/faults/p00001.json',
    'working/jokes/slices/00000.json',
  ],
  repack: ['working/jokes/results/p00001.parquet', 'working/jokes/parts/p00001/rows.parquet'],
  submit: ['runs/jokes/jobs/p00001.json'],
  runOnDemand: ['working/jokes/parts/p00001/records.jsonl'],
  collect: ['working/jokes/parts/p00001/rows.parquet', 'runs/jokes/ledger/p00001.json'],
  merge: ['working/jokes/results/p00001.parquet'],
  summarize: ['runs/jokes/ledger/p00001.json'],
};

const GARBAGE = [
  `{"recordId":"${SECRET}","modelInput":{"text": ${SECRET}}}\n`,
  `PAR1${SECRET.repeat(20)}${String.fromCharCode(40, 0, 0, 0)}PAR1`,
  JSON.stringify({ error: 'ConversionError', message: `Could not convert "${SECRET}"` }),
];

test.each(
  STEP_NAMES.filter((step) => step !== 'plan').flatMap((step) =>
    READ[step].map((file) => [step, file] as const),
  ),
)('%s over a damaged %s logs none of its words', async (step, file) => {
  const inputs = await startedRun();
  const key = `data-bucket/${file}`;
  if (step === 'prepare' && file.startsWith('runs/'))
    world.s3.objects.delete('data-bucket/working/jokes/slices/00000.json');
  if (file.endsWith('slices/00000.json'))
    world.s3.objects.delete('data-bucket/working/jokes/planned/00000.json');
  for (const garbage of GARBAGE) {
    world.s3.objects.set(key, Buffer.from(garbage));
    world.lines = [];
    await failureOf(step, inputs[step]);
    expectNoSecret();
  }
});

test('an error of another program is logged by its name and its place in the code, and ended with by its name', async () => {
  const { failedLine, publicError } = await import('../../src/handlers/step-log.ts');
  const foreign = Object.assign(new Error(`Conversion Error: "${SECRET}"\n    at ${SECRET} (row 1)`), {
    name: 'ConversionError',
  });
  const line = failedLine('collect', {}, foreign);
  expect(line).toMatchObject({
    error: 'ConversionError',
    thrown_at: expect.arrayContaining([expect.stringMatching(/^at .*private-logs\.test\.ts/)]),
  });
  expect(JSON.stringify(line)).not.toContain(SECRET);
  const shown = publicError(foreign);
  expect(shown).toMatchObject({
    name: 'ConversionError',
    message:
      'What this error says may quote the dataset, so no log has it. The function’s log says where it was thrown.',
  });
  expect(shown.stack).not.toContain(SECRET);
});

test('who reads the error itself has all of it', () => {
  const error = new InvalidDatasetError(`Line 2 is no JSON: ${privately(`\ufdd1${SECRET}`)}.`);
  expect([error.message, error.publicMessage]).toEqual([
    `Line 2 is no JSON: ${SECRET}.`,
    'Line 2 is no JSON: ….',
  ]);
});
