import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type GeneratedDoc, replaceMarked, updateDocs } from '../../scripts/generated-docs.ts';
import { renderRunInputPage } from '../../scripts/run-input-page.ts';
import { parseRunInput, RUN_INPUT_ALIASES, RUN_INPUT_KEYS } from '../../src/core/run-input/run-input.ts';
import { findAdapter } from '../../src/models/adapters/find-adapter.ts';
import { DEFAULT_MAX_TOKENS } from '../../src/models/adapters/model-adapter.ts';
import { resolveModel } from '../../src/models/resolve-model.ts';

const ROOT = join(import.meta.dirname, '../..');

test('every generated page is up to date', async () => {
  const script = join(ROOT, 'scripts/generate-docs.ts');
  await expect(promisify(execFile)(process.execPath, [script, '--check'])).resolves.toEqual({
    stdout: '',
    stderr: '',
  });
});

describe('the page of the run input', () => {
  const page = renderRunInputPage();

  test('has a row for every key, and names every alias', () => {
    for (const key of RUN_INPUT_KEYS) expect(page).toContain(`\n| \`${key}\` |`);
    for (const alias of Object.keys(RUN_INPUT_ALIASES)) expect(page).toContain(`\`${alias}\``);
  });

  test('shows limits and defaults in their own columns', () => {
    expect(page).toContain(
      '| `max_attempts` | integer, at least 1, at most 10 | 3 | How many times a row may be sent; a job that never reached it does not count. `resume --max-attempts` grants more. |',
    );
    expect(page).toContain('| `text_column` | string | `input_text` | Column to embed. Embeddings only. |');
    expect(page).toContain(
      '| `dimensions` | integer, at least 1 |  | Length of the vector: one of those that the model offers (256, 384, 512, 1024, 3072). | Amazon Nova Multimodal Embeddings; Amazon Titan Multimodal Embeddings G1; Amazon Titan Text Embeddings V2 |',
    );
  });

  test('names the default and the dimensions that the models have', () => {
    expect(page).toContain(
      `| \`max_tokens\` | integer, at least 1 | ${DEFAULT_MAX_TOKENS} | Maximum tokens per answer. |`,
    );
    expect(findAdapter('amazon.titan-embed-text-v2:0').dimensions).toEqual([256, 512, 1024]);
  });

  test('shows documents that can be run as they stand', () => {
    const examples = [...page.matchAll(/```json\n(.+?)\n```/gs)].map(([, json]) =>
      parseRunInput(JSON.parse(json ?? '')),
    );
    expect(examples).toHaveLength(2);
    for (const { model_id, system_prompt, inference_parameters } of examples) {
      const request = { systemPrompt: system_prompt, parameters: inference_parameters ?? {} };
      expect(resolveModel(model_id, request).adapter).toBe(findAdapter(model_id));
    }
  });

  test.each([
    { dataset_id: 'a/b' },
    { split: 'train' },
    { config_name: 'x' },
    { revision: 'main' },
    { prompt_template: '{x}' },
    { max_records_per_batch: 100 },
  ])('says truly that %j does not go with what is given', (other) => {
    const given = {
      s3_uri: 's3://bucket/key',
      model_id: 'amazon.nova-lite-v1:0',
      prompt_id: 'joke_about_topic',
      max_records_per_job: 100,
    };
    expect(parseRunInput(given)).toEqual(given);
    expect(() => parseRunInput({ ...given, ...other })).toThrow();
  });
});

describe('updating pages', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'quarry-docs-'));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  const docs: GeneratedDoc[] = [
    { path: 'new.md', render: () => 'new\n' },
    { path: 'marked.md', render: (current) => replaceMarked(current, 'picture', 'a --> b') },
  ];
  const marked = (content: string) =>
    `# Page\n<!-- begin generated: picture -->\n${content}<!-- end generated: picture -->\nthe rest\n`;

  test('writes what is stale, keeps what stands around the markers, and then finds nothing to do', async () => {
    await writeFile(join(root, 'marked.md'), marked('old\n'));
    expect(await updateDocs(docs, { root, check: true })).toEqual(['new.md', 'marked.md']);
    expect(await updateDocs(docs, { root, check: false })).toEqual(['new.md', 'marked.md']);
    expect(await readFile(join(root, 'new.md'), 'utf8')).toBe('new\n');
    expect(await readFile(join(root, 'marked.md'), 'utf8')).toBe(marked('a --> b\n'));
    expect(await updateDocs(docs, { root, check: true })).toEqual([]);
  });

  test('checking writes nothing', async () => {
    await writeFile(join(root, 'marked.md'), marked(''));
    await updateDocs(docs, { root, check: true });
    expect(await readFile(join(root, 'marked.md'), 'utf8')).toBe(marked(''));
  });

  test('a page without its markers is an error that names them', async () => {
    await expect(updateDocs(docs, { root, check: true })).rejects.toThrow(
      'There are no lines "<!-- begin generated: picture -->" and "<!-- end generated: picture -->".',
    );
  });
});
