import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InvalidRunInputError } from '../../../src/core/errors.ts';
import {
  parseRunInput,
  RUN_INPUT_ALIASES,
  RUN_INPUT_CONCERNS,
  RUN_INPUT_FIELDS,
  RUN_INPUT_KEYS,
  RunInputSchema,
} from '../../../src/core/run-input/run-input.ts';

const MODEL = 'anthropic.claude-3-haiku-20240307-v1:0';
const MINIMAL = { s3_uri: 's3://bucket/data.csv', model_id: MODEL };

/** The lines of the message that refuses a document, after its headline. */
function faultsOf(document: unknown): string[] {
  try {
    parseRunInput(document);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidRunInputError);
    const [headline, ...faults] = (error as Error).message.split('\n');
    expect(headline).toBe('The run input is not valid.');
    return faults.map((fault) => fault.replace(/^ {2}- /, ''));
  }
  return [];
}

describe('a document written for the AWS sample', () => {
  const jokes = {
    s3_uri: 's3://batch-inference-bucket-111122223333/inputs/jokes/topics.csv',
    job_name_prefix: 'joke-generation',
    model_id: MODEL,
    prompt_id: 'joke_about_topic',
  };
  const embeddings = {
    s3_uri: 's3://batch-inference-bucket-111122223333/inputs/embeddings/texts.csv',
    job_name_prefix: 'text-embeddings',
    model_id: 'amazon.titan-embed-text-v2:0',
  };

  test('is taken as it is', () => {
    expect(parseRunInput(jokes)).toEqual(jokes);
  });

  test('may say null for a prompt of embeddings', () => {
    expect(parseRunInput({ ...embeddings, prompt_id: null })).toEqual(embeddings);
  });

  test('may have underscores and blanks in its prefix, which become hyphens', () => {
    const parsed = parseRunInput({ ...jokes, job_name_prefix: '_my  joke_generation' });
    expect(parsed.job_name_prefix).toBe('my-joke-generation');
  });

  test.each([jokes, embeddings])('may limit jobs and records, by the sample’s own names', (document) => {
    expect(parseRunInput({ ...document, max_num_jobs: 1, max_records_per_batch: 1000 })).toEqual({
      ...document,
      max_num_jobs: 1,
      max_records_per_job: 1000,
    });
  });
});

test('every key is taken, and kept', () => {
  const rest = {
    format: 'csv',
    csv_delimiter: 'tab',
    csv_quote: 'none',
    csv_escape: '\\',
    csv_comment: '#',
    csv_skip: 2,
    csv_header: false,
    csv_encoding: 'windows-1252',
    csv_ragged: 'pad',
    union_by_name: true,
    job_name_prefix: 'reviews',
    model_id: MODEL,
    base_model_id: 'amazon.nova-lite-v1:0',
    force: true,
    system_prompt: 'Be kind.',
    inference_parameters: {
      max_tokens: 100,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 10,
      stop_sequences: ['END'],
      dimensions: 256,
      normalize: true,
      embedding_type: 'binary',
      embedding_purpose: 'clustering',
      truncation: 'end',
    },
    thinking: 'low',
    messages: [
      { role: 'user', content: 'Is {text} fine?' },
      { role: 'assistant', content: 'Yes.' },
    ],
    text_column: 'text',
    image_columns: ['photo'],
    document_columns: ['paper'],
    files_folder: 's3://bucket/photos/',
    fetch: true,
    record_id_column: 'id',
    output_column: 'answer',
    output_schema: { label: 'yes | no' },
    output_schema_form: 'prompt',
    reask: false,
    output_prefix: 'answer_',
    max_num_jobs: 2,
    max_records_per_job: 500,
    max_concurrent_jobs: 10,
    min_records_per_job_spread: 200,
    max_records: 900,
    max_attempts: 2,
    retry_truncated: true,
    retry_refused: true,
    fail_on: ['truncated', 'refused', 'empty'],
    pilot: false,
    pilot_rows: 100,
    max_cost_usd: 1.5,
    budget_mode: 'expected',
    expect_output_tokens: 40.5,
    prices: { 'amazon.nova-lite-v1:0': { input_per_million: 0.03, output_per_million: 0.12 } },
    timeout_hours: 72,
    dedupe: true,
    run_id: 'reviews-2026-11-22',
  };
  const hub = {
    dataset_id: 'stanfordnlp/imdb',
    split: 'test',
    config_name: 'plain_text',
    revision: 'main',
    prompt_id: 'sentiment_classifier',
    reuse: true,
    ...rest,
  };
  const rerun = { rerun_of: 'reviews-2026-11-21', rerun_rows: ['failed', 'truncated', 'refused'] };
  const s3 = { s3_uri: 's3://bucket/prefix/', prompt_template: '{text}', ...rerun, ...rest };
  const chosen = { ...rest, s3_uri: 's3://b/a', prompt_id_column: 'kind', prompt_templates: { a: '{text}' } };
  const varied = { s3_uri: 's3://b/a', model_id: MODEL, variants: { a: {}, b: { prompt_id: 'q' } } };
  for (const document of [hub, s3, chosen, varied]) expect(parseRunInput(document)).toEqual(document);
  const keys = [hub, s3, chosen, varied].flatMap((document) => Object.keys(document));
  expect(new Set([...keys, 'variant'])).toEqual(new Set(RUN_INPUT_KEYS));
});

test('null stands for "not given", among the inference parameters too', () => {
  const nulls = Object.fromEntries(RUN_INPUT_KEYS.map((key) => [key, null]));
  expect(parseRunInput({ ...nulls, max_records_per_batch: null, ...MINIMAL })).toEqual(MINIMAL);
  expect(parseRunInput({ ...MINIMAL, inference_parameters: { max_tokens: 5, temperature: null } })).toEqual({
    ...MINIMAL,
    inference_parameters: { max_tokens: 5 },
  });
});

describe('an unknown key', () => {
  const KNOWN = `Known keys: ${RUN_INPUT_KEYS.join(', ')}.`;

  test('is refused with the nearest known key', () => {
    expect(faultsOf({ ...MINIMAL, max_record: 10 })).toEqual([
      '"max_record" is not a key of a run input (did you mean "max_records"?)',
      KNOWN,
    ]);
  });

  test('is refused beside others and beside faulty values, all in one message', () => {
    expect(faultsOf({ ...MINIMAL, promptid: 'x', zzzzzzzzzzzz: 1, max_attempts: 99 })).toEqual([
      '"promptid" is not a key of a run input (did you mean "prompt_id"?)',
      '"zzzzzzzzzzzz" is not a key of a run input',
      'max_attempts: Too big: expected number to be <=10',
      KNOWN,
    ]);
  });

  test('is refused even where its value is null', () => {
    expect(faultsOf({ ...MINIMAL, max_cost: null })).toEqual([
      expect.stringContaining('"max_cost" is not a key of a run input'),
      KNOWN,
    ]);
  });

  test('may be a known alias, misspelt', () => {
    expect(faultsOf({ ...MINIMAL, max_records_per_bach: 100 })[0]).toBe(
      '"max_records_per_bach" is not a key of a run input (did you mean "max_records_per_batch"?)',
    );
  });

  test('may be an inference parameter one level too high', () => {
    expect(faultsOf({ ...MINIMAL, temperature: 0 })[0]).toBe(
      '"temperature" is not a key of a run input (did you mean "inference_parameters.temperature"?)',
    );
  });

  test('may be one among the inference parameters', () => {
    expect(faultsOf({ ...MINIMAL, inference_parameters: { max_token: 1, maxTokensToSample: 2 } })).toEqual([
      'inference_parameters: "max_token" is not one of them (did you mean "max_tokens"?)',
      'inference_parameters: "maxTokensToSample" is not one of them',
    ]);
  });

  test('is one even where every object has such a name', () => {
    expect(faultsOf({ ...MINIMAL, constructor: 1 })[0]).toBe('"constructor" is not a key of a run input');
    expect(faultsOf(JSON.parse('{"__proto__": {}, "s3_uri": "s3://bucket", "model_id": "x"}'))[0]).toBe(
      '"__proto__" is not a key of a run input',
    );
  });

  test('never goes unnoticed', () => {
    fc.assert(
      fc.property(fc.string(), fc.jsonValue(), (key, value) => {
        fc.pre(!RUN_INPUT_KEYS.includes(key) && !Object.hasOwn(RUN_INPUT_ALIASES, key));
        const document = { ...MINIMAL, ...Object.fromEntries([[key, value]]) };
        expect(() => parseRunInput(document)).toThrow(InvalidRunInputError);
      }),
    );
  });
});

test.each<{ name: string; document: Record<string, unknown>; faults: string[] }>([
  {
    name: 'a turn of the wrong side',
    document: { ...MINIMAL, messages: [{ role: 'assistant', content: 'Yes.' }] },
    faults: ['messages: turn 1 must be the user’s: they take turns, and the user begins'],
  },
  {
    name: 'two questions in turn',
    document: {
      ...MINIMAL,
      messages: [
        { role: 'user', content: 'Is it?' },
        { role: 'user', content: 'Or not?' },
      ],
    },
    faults: ['messages: turn 2 must be the assistant’s: they take turns, and the user begins'],
  },
  {
    name: 'a turn that is none',
    document: { ...MINIMAL, messages: [null] },
    faults: [
      'messages.0: Invalid input: expected object, received null',
      'messages: turn 1 must be the user’s: they take turns, and the user begins',
    ],
  },
  {
    name: 'an example without its answer',
    document: { ...MINIMAL, messages: [{ role: 'user', content: 'Is it?' }] },
    faults: ['messages: the last one must be the assistant’s: the prompt is the user’s next turn'],
  },
  {
    name: 'a form and a second question without a schema',
    document: { ...MINIMAL, output_schema_form: 'prompt', reask: true },
    faults: ['output_schema_form: goes with output_schema', 'reask: goes with output_schema'],
  },
  {
    name: 'neither s3_uri nor dataset_id',
    document: { model_id: MODEL },
    faults: ['s3_uri: give s3_uri, or the dataset_id of a Hugging Face dataset'],
  },
  {
    name: 'both s3_uri and dataset_id',
    document: { ...MINIMAL, dataset_id: 'stanfordnlp/imdb' },
    faults: ['dataset_id: give s3_uri or dataset_id, not both'],
  },
  {
    name: 'what goes with dataset_id, beside s3_uri',
    document: { ...MINIMAL, split: 'train', config_name: 'x', revision: 'main' },
    faults: ['split', 'config_name', 'revision'].map(
      (key) => `${key}: goes with dataset_id, not with s3_uri`,
    ),
  },
  {
    name: 'two prompts',
    document: { ...MINIMAL, prompt_id: 'joke_about_topic', prompt_template: '{topic}' },
    faults: ['prompt_template: give prompt_id or prompt_template, not both'],
  },
  {
    name: 'nothing',
    document: {},
    faults: ['model_id: is missing', 's3_uri: give s3_uri, or the dataset_id of a Hugging Face dataset'],
  },
  {
    name: 'a path in place of a URI',
    document: { ...MINIMAL, s3_uri: 'data/topics.csv' },
    faults: ['s3_uri: Invalid string: must start with "s3://"'],
  },
  {
    name: 'a dataset id with a path',
    document: { model_id: MODEL, dataset_id: 'https://huggingface.co/datasets/imdb' },
    faults: ['dataset_id: write it as on the Hub: owner/name'],
  },
  {
    name: 'a job name prefix that Bedrock would refuse',
    document: { ...MINIMAL, job_name_prefix: 'my:jobs' },
    faults: ['job_name_prefix: use letters, digits, "-", "+" and "."; "_" and blanks become "-"'],
  },
  {
    name: 'a run id that is not fit for a key',
    document: { ...MINIMAL, run_id: 'a/b' },
    faults: ['run_id: use letters, digits and single hyphens'],
  },
  {
    name: 'numbers that are none, or too small or large',
    document: { ...MINIMAL, max_records: '10', max_num_jobs: 1.5, max_attempts: 0, max_cost_usd: 0 },
    faults: [
      'max_num_jobs: Invalid input: expected int, received number',
      'max_records: Invalid input: expected number, received string',
      'max_attempts: Too small: expected number to be >=1',
      'max_cost_usd: Too small: expected number to be >0',
    ],
  },
  {
    name: 'an inference parameter out of range',
    document: { ...MINIMAL, inference_parameters: { top_p: 1.5 } },
    faults: ['inference_parameters.top_p: Too big: expected number to be <=1'],
  },
  {
    name: 'inference parameters that are no object',
    document: { ...MINIMAL, inference_parameters: [1] },
    faults: ['inference_parameters: Invalid input: expected object, received array'],
  },
])('$name: refused with a message that says so', ({ document, faults }) => {
  expect(faultsOf(document)).toEqual(faults);
});

test('a key and its alias at once are refused', () => {
  const both = { max_records_per_job: 100, max_records_per_batch: 100 };
  expect(() => parseRunInput({ ...MINIMAL, ...both })).toThrow(
    'The run input gives both max_records_per_job and max_records_per_batch, which mean the same. Give one of them.',
  );
});

test.each([null, undefined, 'text', 7, []])('%j is not a run input', (document) => {
  expect(() => parseRunInput(document)).toThrow('A run input is a JSON object, like');
  expect(RunInputSchema.safeParse(document).success).toBe(false);
});

test('a parsed run input parses to itself', () => {
  const input = parseRunInput({ ...MINIMAL, max_records_per_batch: 200, prompt_id: null });
  expect(parseRunInput(input)).toEqual(input);
});

test('every key says what it is for', () => {
  for (const [key, schema] of Object.entries(RUN_INPUT_FIELDS)) {
    expect(schema.meta()?.description, key).toMatch(/\.$/);
  }
});

test('options of CSV that cannot be meant are refused, and latin-1 is known by that name', () => {
  expect(
    faultsOf({ ...MINIMAL, prompt_template: '{a}', csv_delimiter: ';', csv_quote: ';' }).join(),
  ).toContain('csv_quote: give another character than csv_delimiter');
  const faults = (csv: object) => faultsOf({ ...MINIMAL, prompt_template: '{a}', ...csv }).join();
  expect(faults({ csv_escape: '"' })).toContain('csv_escape: give one ASCII punctuation mark, but not "');
  expect(faults({ csv_comment: 'x' })).toContain('csv_comment: give one ASCII punctuation mark, but not "');
  expect(faults({ csv_comment: '//' })).toContain('csv_comment: give one ASCII punctuation mark, but not "');
  expect(faults({ csv_escape: "'", csv_quote: "'" })).toContain(
    'csv_escape: give another character than csv_quote',
  );
  expect(faults({ csv_comment: '|', csv_delimiter: '|' })).toContain(
    'csv_comment: give another character than csv_delimiter',
  );
  expect(faults({ csv_comment: '#', csv_escape: '#' })).toContain(
    'csv_comment: give another character than csv_escape',
  );
  expect(faults({ csv_skip: -1 })).toContain('csv_skip');
  expect(faults({ csv_header: 'no' })).toContain('csv_header');
  expect(faultsOf({ ...MINIMAL, prompt_template: '{a}', csv_encoding: 'klingon' }).join()).toContain(
    'csv_encoding',
  );
  expect(faultsOf({ ...MINIMAL, prompt_template: '{a}', csv_encoding: 'Latin-1' })).toEqual([]);
  expect(faultsOf({ ...MINIMAL, prompt_template: '{a}', output_prefix: 'x_' }).join()).toContain(
    'output_prefix: goes with output_schema',
  );
});

test('every key belongs to one concern, and the document is all of them in their order', () => {
  const keys = RUN_INPUT_CONCERNS.flatMap(({ fields }) => Object.keys(fields));
  expect(keys).toEqual(RUN_INPUT_KEYS);
  expect(new Set(keys).size).toBe(keys.length);
  expect(RUN_INPUT_CONCERNS.map(({ title }) => title)).toEqual([
    'Dataset',
    'Model',
    'Prompt',
    'Images and documents',
    'Answers',
    'Variants',
    'Limits',
    'Jobs',
  ]);
});

test('reuse sends identical requests once, so dedupe cannot be false beside it', () => {
  const given = { s3_uri: 's3://b/a.csv', model_id: MODEL, prompt_template: '{a}', reuse: true };
  expect(() => parseRunInput({ ...given, dedupe: false })).toThrow(
    'The run input is not valid.\n  - dedupe: is false, but reuse sends identical requests once. Leave one of them out',
  );
  expect(parseRunInput({ ...given, dedupe: true })).toMatchObject({ reuse: true, dedupe: true });
});
