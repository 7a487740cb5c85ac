import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
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
