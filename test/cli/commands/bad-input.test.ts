import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runQuarry } from '../../support/run-quarry.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const CSV = 'topic,n\ncats,1\ndogs,2\n';
const MODEL = ['--model-id', 'us.amazon.nova-lite-v1:0'];
const JOKES = [...MODEL, '--prompt-id', 'joke_about_topic'];

interface BadInput {
  what: string;
  /** Files of the dataset; a single one is the DATASET itself. */
  files: Record<string, string | Buffer>;
  args: string[];
  says: (string | RegExp)[];
}

const badInputs: BadInput[] = [
  {
    what: 'a placeholder without a column',
    files: { 'a.csv': CSV },
    args: [...MODEL, '--prompt-template', 'Tell {name} about {topic}'],
    says: ['The prompt needs column "name", which the dataset does not have. The dataset has topic, n.'],
  },
  {
    what: 'an unknown prompt id',
    files: { 'a.csv': CSV },
    args: [...MODEL, '--prompt-id', 'joke_about_topics'],
    says: ['There is no prompt_id "joke_about_topics". Known ids, the nearest first: joke_about_topic, '],
  },
  {
    what: 'an unsupported model id',
    files: { 'a.csv': CSV },
    args: ['--model-id', 'cohere.embed-english-v3', '--prompt-template', '{topic}'],
    says: ['is of no supported family', 'Anthropic Claude', 'Amazon Nova', 'Converse takes any text model'],
  },
  {
    what: 'something that is no model id',
    files: { 'a.csv': CSV },
    args: ['--model-id', 'gpt-4', '--prompt-template', '{topic}'],
    says: ['model_id "gpt-4" is not a Bedrock model id'],
  },
  {
    what: 'a model’s name',
    files: { 'a.csv': CSV },
    args: ['--model-id', 'nova-lite', '--prompt-template', '{topic}'],
    says: ['model_id "nova-lite" is not a Bedrock model id', 'Did you mean us.amazon.nova-lite-v1:0?\n'],
  },
  {
    what: 'a bare id that needs a profile',
    files: { 'a.csv': CSV },
    args: ['--model-id', 'anthropic.claude-opus-5', '--prompt-template', '{topic}'],
    says: [
      'model_id "anthropic.claude-opus-5": Claude Opus 5 runs in batch only through an inference profile. Use us.anthropic.claude-opus-5 or global.anthropic.claude-opus-5; there are eu., au. too. To try it all the same, give force.\n',
    ],
  },
  {
    what: 'a model without batch inference',
    files: { 'a.csv': CSV },
    args: ['--model-id', 'us.deepseek.r1-v1:0', '--prompt-template', '{topic}'],
    says: ['DeepSeek R1 has no batch inference', 'DeepSeek V3.2 has: deepseek.v3.2.'],
  },
  {
    what: 'stop sequences for a model that takes none',
    files: { 'a.csv': CSV },
    args: ['--model-id', 'qwen.qwen3-32b-v1:0', '--prompt-template', '{topic}', '--stop-sequence', 'END'],
    says: ['inference_parameters: qwen.qwen3-32b-v1:0 refuses stop_sequences. Leave them out.'],
  },
  { what: 'an empty file', files: { 'a.csv': '' }, args: JOKES, says: ['a.csv', /no rows|empty/] },
  { what: 'a header without rows', files: { 'a.csv': 'topic,n\n' }, args: JOKES, says: ['a.csv', 'no rows'] },
  {
    what: 'a ragged row',
    files: { 'a.csv': `${CSV}birds\n` },
    args: JOKES,
    says: ['a.csv', /[Ll]ine 4/],
  },
  {
    what: 'a quote that is never closed',
    files: { 'a.csv': `${CSV}"birds,3\n` },
    args: JOKES,
    says: ['a.csv', /[Ll]ine 4/, /quote/],
  },
  {
    what: 'text that is not UTF-8',
    files: { 'a.csv': Buffer.from('topic,n\ncaf\xe9,1\n', 'latin1') },
    args: JOKES,
    says: ['a.csv', /[Ll]ine 2/, /UTF-8/],
  },
  {
    what: 'UTF-16 without a byte order mark',
    files: { 'a.csv': Buffer.from(CSV, 'utf16le') },
    args: JOKES,
    says: ['a.csv', /UTF-16 without a byte order mark/],
  },
  {
    what: 'Parquet that is none',
    files: { 'a.parquet': 'PAR1 not really' },
    args: JOKES,
    says: ['a.parquet', /Parquet/],
  },
  {
    what: 'an output column that exists',
    files: { 'a.csv': 'topic,response\ncats,1\n' },
    args: JOKES,
    says: [
      'The dataset has a column "response" already. Name another one for the answers with output_column.',
    ],
  },
  {
    what: 'an output column named as another that Quarry adds',
    files: { 'a.csv': CSV },
    args: [...JOKES, '--output-column', 'Error_Code'],
    says: ['output_column "Error_Code" is the name of another column that Quarry adds to the output.'],
  },
  {
    what: 'an output_schema with a column that exists',
    files: { 'a.csv': 'topic,score\ncats,1\n' },
    args: [...JOKES, '--output-schema', '{"Score":"number"}'],
    says: [
      'The dataset has a column "Score" already, which output_schema adds to the output. Give output_prefix, such as "answer_".',
    ],
  },
  {
    what: 'an output_schema with a column that Quarry adds',
    files: { 'a.csv': CSV },
    args: [...JOKES, '--output-schema', '{"attempts":"integer"}'],
    says: [
      'output_schema has a property "attempts", and Quarry adds a column of that name. Give output_prefix',
    ],
  },
  {
    what: 'an output_schema that is no schema',
    files: { 'a.csv': CSV },
    args: [...JOKES, '--output-schema', '{"type":"object","properties":{"a":{"type":"strin"}}}'],
    says: ['output_schema is not a valid JSON Schema: '],
  },
  {
    what: 'an output_schema that is not JSON',
    files: { 'a.csv': CSV },
    args: [...JOKES, '--output-schema', '{score: number}'],
    says: ['--output-schema is not JSON: '],
  },
  {
    what: 'an output_schema in a file that is not there',
    files: { 'a.csv': CSV },
    args: [...JOKES, '--output-schema', 'schema.json'],
    says: ['--output-schema "schema.json" cannot be read: '],
  },
  {
    what: 'an output_schema with a name of our own',
    files: { 'a.csv': CSV },
    args: [...JOKES, '--output-schema', '{"file_row_number":"integer"}'],
    says: ['A column of answers cannot be named "file_row_number": '],
  },
  {
    what: 'an output_prefix alone',
    files: { 'a.csv': CSV },
    args: [...JOKES, '--output-prefix', 'a_'],
    says: ['output_prefix: goes with output_schema'],
  },
  {
    what: 'a column that Quarry adds',
    files: { 'a.csv': 'topic,Error_Code\ncats,1\n' },
    args: JOKES,
    says: ['The dataset has a column "error_code", which Quarry adds to the output.'],
  },
  {
    what: 'record ids that repeat',
    files: { 'a.csv': 'topic,n\ncats,1\ndogs,1\n' },
    args: [...JOKES, '--record-id-column', 'n'],
    says: ['Column "n" cannot give the record ids', 'such as "1" (2 rows)', 'record_id_column'],
  },
  {
    what: 'record ids that are missing',
    files: { 'a.jsonl': '{"topic":"cats","n":"1"}\n{"topic":"dogs","n":null}\n' },
    args: [...JOKES, '--record-id-column', 'n'],
    says: ['Column "n" cannot give the record ids: rows without a value (null): 1'],
  },
  {
    what: 'a record_id_column that is no column',
    files: { 'a.csv': CSV },
    args: [...JOKES, '--record-id-column', 'id'],
    says: ['record_id_column "id" is not a column. The dataset has topic, n.'],
  },
  {
    what: 'max_records_per_job under the minimum of a job',
    files: { 'a.csv': CSV },
    args: [...JOKES, '--max-records-per-job', '99'],
    says: ['max_records_per_job is 99, but Bedrock takes no job of fewer than 100 records.'],
  },
  {
    what: 'max_records_per_job over the quota',
    files: { 'a.csv': CSV },
    args: [...JOKES, '--max-records-per-job', '100001'],
    says: ['max_records_per_job is 100001, but a job is taken to have 100,000 records at most: that is AWS'],
  },
  {
    what: 'a folder of mixed formats',
    files: { 'a.csv': CSV, 'b.jsonl': '{"topic":"x","n":"1"}\n' },
    args: JOKES,
    says: ['a.csv', 'b.jsonl'],
  },
  {
    what: 'a folder whose files have other columns',
    files: { 'a.csv': CSV, 'b.csv': 'topic,m\ncats,1\n' },
    args: JOKES,
    says: ['a.csv', 'b.csv', /"?n"?/, /"?m"?/],
  },
  {
    what: 'a model parameter that the family does not take',
    files: { 'a.csv': CSV },
    args: [
      '--model-id',
      'us.meta.llama3-3-70b-instruct-v1:0',
      '--prompt-template',
      '{topic}',
      '--top-k',
      '3',
    ],
    says: ['inference_parameters: any other text model (Converse) does not take top_k.'],
  },
  {
    what: 'a budget that the run could pass',
    files: { 'a.csv': CSV },
    args: [...JOKES, '--max-cost-usd', '0.00000001'],
    says: ['over max_cost_usd 1e-8'],
  },
  {
    what: 'a name that Bedrock does not allow',
    files: { 'a.csv': CSV },
    args: [...JOKES, '--job-name-prefix', 'my:jobs'],
    says: ['job_name_prefix: use letters, digits, "-", "+" and "."; "_" and blanks become "-"'],
  },
  {
    what: 'a record_id column of its own that is not unique',
    files: { 'a.csv': 'topic,record_id\ncats,1\ndogs,1\n' },
    args: JOKES,
    says: [
      'Column "record_id" cannot give the record ids: values that several rows have: 1, such as "1" (2 rows). Rename the column, or leave it out, to have rows numbered.\n',
    ],
  },
  {
    what: 'an ending that is no dataset',
    files: { 'a.xlsx': 'x' },
    args: JOKES,
    says: ['a.xlsx', /\.csv/, /\.parquet/],
  },
];

test.for(badInputs)('$what is refused before anything is spent', async ({ files, args, says }) => {
  const directory = await temporaryDirectory();
  const folder = join(directory, 'data');
  await mkdir(folder);
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  const names = Object.keys(files);
  const dataset = names.length === 1 ? join(folder, names[0] ?? '') : folder;
  const store = join(directory, 'store');
  const { status, out, err } = await runQuarry('run', dataset, ...args, '--dir', store);
  expect(status).toBe(1);
  expect(out).toBe('');
  for (const words of says) expect(err).toMatch(words);
  expect(existsSync(join(store, 'quarry-local', 'runs'))).toBe(false);
  expect(existsSync(join(store, '.emulator', 'jobs', 'jobs.json'))).toBe(false);
});

test('an unknown key of a run input is refused with the nearest known one', async () => {
  const directory = await temporaryDirectory();
  const input = join(directory, 'run.json');
  await writeFile(input, JSON.stringify({ s3_uri: 's3://bucket/a.csv', model_id: 'x', max_record: 5 }));
  const { status, err } = await runQuarry('run', '--input', input, '--dir', directory);
  expect(status).toBe(1);
  expect(err).toContain('"max_record" is not a key of a run input (did you mean "max_records"?)');
});

test('a run input that cannot be read is named', async () => {
  const directory = await temporaryDirectory();
  const missing = join(directory, 'none.json');
  expect((await runQuarry('run', '--input', missing)).err).toContain(`--input "${missing}" cannot be read`);
  await writeFile(join(directory, 'bad.json'), '{');
  expect((await runQuarry('run', '--input', join(directory, 'bad.json'))).err).toContain('is not JSON');
  await writeFile(join(directory, 'list.json'), '[]');
  expect((await runQuarry('run', '--input', join(directory, 'list.json'))).err).toContain('one JSON object');
});

test('a dataset that is not there is named, with what a dataset may be', async () => {
  const { status, err } = await runQuarry(
    'run',
    'no/such.csv',
    ...JOKES,
    '--dir',
    await temporaryDirectory(),
  );
  expect(status).toBe(1);
  expect(err).toContain(
    'There is no file or folder "no/such.csv". DATASET is a local path, s3://bucket/key or hf:owner/name.',
  );
});

test('an s3 dataset that is not in the store is named', async () => {
  const { status, err } = await runQuarry(
    'run',
    's3://bucket/none',
    ...JOKES,
    '--dir',
    await temporaryDirectory(),
  );
  expect(status).toBe(1);
  expect(err).toContain('There is no object s3://bucket/none, and none below s3://bucket/none/.');
});

test('neither a dataset nor a run input is refused', async () => {
  const { status, err } = await runQuarry('run', ...JOKES);
  expect(status).toBe(1);
  expect(err).toContain('Name a DATASET (a file, a folder, s3://… or hf:…), or a run input with --input.');
});

test('a target that is none is refused, with those that are', async () => {
  expect((await runQuarry('run', 'a.csv', ...JOKES, '--target', 'azure')).err).toContain(
    '--target "azure" is unknown. Targets: local, bedrock, aws.',
  );
});

test('with --json a refusal is one JSON document on standard output', async () => {
  const { status, out } = await runQuarry(
    'run',
    'none.csv',
    ...JOKES,
    '--json',
    '--dir',
    await temporaryDirectory(),
  );
  expect(status).toBe(1);
  expect(JSON.parse(out)).toMatchObject({ status: 'refused', error: 'InvalidDatasetError' });
});

test('a flag that is no number, and a command that does not exist, end with status 1', async () => {
  expect((await runQuarry('run', 'a.csv', ...JOKES, '--max-records', 'many')).status).toBe(1);
  const { status, err } = await runQuarry('rum');
  expect(status).toBe(1);
  expect(err).toContain('run');
});
