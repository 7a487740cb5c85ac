import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { promptIdToTemplate } from '../../../src/prompts/prompt-templates.ts';
import { withPromptText } from '../../../src/quarry/project/prompt-folder.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const PROMPT = `---
description: A label and a score.
system_prompt: You label reviews in {language}.
model_id: us.amazon.nova-lite-v1:0
inference_parameters:
  max_tokens: 50
  temperature: 0
output_schema:
  mood: good | bad
---
Label this review: {review}
`;

/** The path of a file with a prompt. */
async function promptFile(text: string): Promise<string> {
  const path = join(await temporaryDirectory(), 'label.md');
  await writeFile(path, text);
  return path;
}

test('a prompt’s file says all that goes with its text, and the input has the last word', async () => {
  const prompt_file = await promptFile(PROMPT);
  const front = {
    prompt_template: 'Label this review: {review}',
    system_prompt: 'You label reviews in {language}.',
    model_id: 'us.amazon.nova-lite-v1:0',
    inference_parameters: { max_tokens: 50, temperature: 0 },
    output_schema: { mood: 'good | bad' },
  };
  expect(await withPromptText({ prompt_file, s3_uri: 's3://b/a.csv' }, undefined)).toEqual({
    ...front,
    s3_uri: 's3://b/a.csv',
  });
  const own = {
    model_id: 'amazon.nova-pro-v1:0',
    inference_parameters: { max_tokens: 9 },
    system_prompt: null,
  };
  expect(await withPromptText({ prompt_file, ...own }, undefined)).toEqual({
    ...front,
    model_id: 'amazon.nova-pro-v1:0',
    inference_parameters: { max_tokens: 9, temperature: 0 },
  });
});

test('a prompt of a folder is the same file, named by its prompt_id', async () => {
  const folder = join(await temporaryDirectory(), 'prompts');
  await mkdir(folder);
  await writeFile(join(folder, 'label.md'), PROMPT);
  expect(await withPromptText({ prompt_id: 'label' }, folder)).toMatchObject({
    prompt_template: 'Label this review: {review}',
    output_schema: { mood: 'good | bad' },
  });
});

/** A folder of prompts, by their ids. */
async function promptFolder(files: Record<string, string>): Promise<string> {
  const folder = await temporaryDirectory();
  for (const [id, text] of Object.entries(files)) await writeFile(join(folder, `${id}.md`), text);
  return folder;
}

test('with prompt_id_column all prompts of the folder go along, and what they have in common', async () => {
  const front = '---\nmodel_id: us.amazon.nova-lite-v1:0\noutput_schema: {mood: good | bad}\n---\n';
  const folder = await promptFolder({ a: `${front}First {text}`, b: `${front}Second {text}` });
  expect(await withPromptText({ prompt_id_column: 'kind', s3_uri: 's3://b/a.csv' }, folder)).toEqual({
    prompt_id_column: 'kind',
    s3_uri: 's3://b/a.csv',
    model_id: 'us.amazon.nova-lite-v1:0',
    output_schema: { mood: 'good | bad' },
    prompt_templates: { ...promptIdToTemplate, a: 'First {text}', b: 'Second {text}' },
  });
  const own = { prompt_id_column: 'kind', prompt_templates: { x: '{y}' } };
  expect(await withPromptText(own, folder)).toEqual(own);
  expect(await withPromptText({ prompt_id_column: 'kind' }, await promptFolder({}))).toEqual({
    prompt_id_column: 'kind',
  });
});

test('prompts that do not agree in what all rows share are refused, unless the input says it', async () => {
  const folder = await promptFolder({
    a: '---\ninference_parameters: {max_tokens: 5}\n---\nFirst {text}',
    b: '---\ninference_parameters: {max_tokens: 9}\n---\nSecond {text}',
    c: 'Third {text}',
  });
  await expect(withPromptText({ prompt_id_column: 'kind' }, folder)).rejects.toThrow(
    `The prompts of "${folder}" differ in inference_parameters: a.md and b.md do not say the same. Rows that a prompt_id_column gives different prompts are asked alike in everything else: give inference_parameters in the run input, or keep such prompts in folders of their own.`,
  );
  await rm(join(folder, 'c.md'));
  const told = { prompt_id_column: 'kind', inference_parameters: { max_tokens: 7 } };
  expect(await withPromptText(told, folder)).toMatchObject({ inference_parameters: { max_tokens: 7 } });
});

test('a file without front matter is a template as it stands', async () => {
  const prompt_file = await promptFile('\uFEFFIs this spam?\r\n\r\n{text}\r\n');
  expect(await withPromptText({ prompt_file }, undefined)).toEqual({
    prompt_template: 'Is this spam?\n\n{text}',
  });
});

test.each([
  [
    '---\nmodel: x\n---\nText',
    /front matter of ".*label\.md" is not valid; it may have description, system_prompt, messages, model_id, thinking, inference_parameters, output_schema\.\n.*"model"/s,
  ],
  [
    '---\ninference_parameters: {max_tokens: 0}\n---\nText',
    /expected number to be >=1\n.*inference_parameters\.max_tokens/s,
  ],
  ['---\n"\n---\nText', /front matter of ".*label\.md" \(between its two lines of ---\) is not YAML: /],
  ['---\ndescription: x\n---\n\n', /The prompt ".*label\.md" has no text\./],
])('the file %j is refused by its name', async (text, message) => {
  await expect(withPromptText({ prompt_file: await promptFile(text) }, undefined)).rejects.toThrow(message);
});

test('a file that is not there, or beside another prompt, is refused', async () => {
  await expect(withPromptText({ prompt_file: '/nowhere/a.md' }, undefined)).rejects.toThrow(
    'The prompt "/nowhere/a.md" cannot be read: ENOENT',
  );
  await expect(withPromptText({ prompt_file: 'a.md', prompt_id: 'x' }, undefined)).rejects.toThrow(
    'Give prompt_file or prompt_id, not both.',
  );
  await expect(withPromptText({ prompt_file: 7 }, undefined)).rejects.toThrow(
    'prompt_file must be the path of a file.',
  );
});
