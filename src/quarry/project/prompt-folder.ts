import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { InvalidRunInputError } from '../../core/errors.ts';
import { byLikeness } from '../../core/text/nearest.ts';
import { promptIdToTemplate } from '../../prompts/prompt-templates.ts';

const EXTENSION = '.md';

/** What a prompt's file may say before its text. */
const FrontMatter = z.strictObject({
  description: z.string().optional(),
  system_prompt: z.string().min(1).optional(),
});

/**
 * The run input with the text of the prompt that it names, where that is a file of the folder: so the run is the same on every
 * target, wherever the folder is. A file's own system prompt holds unless the input gives one.
 */
export async function withPromptText(
  input: Record<string, unknown>,
  folder: string | undefined,
): Promise<Record<string, unknown>> {
  const { prompt_id: id, ...rest } = input;
  if (folder === undefined || typeof id !== 'string') return input;
  const ids = await promptIds(folder);
  if (!ids.includes(id)) {
    if (Object.hasOwn(promptIdToTemplate, id)) return input;
    const known = byLikeness(id, [...new Set([...ids, ...Object.keys(promptIdToTemplate)])]);
    throw new InvalidRunInputError(
      `There is no prompt_id "${id}". Known ids, the nearest first: ${known.join(', ')}. Or write ${join(folder, `${id}${EXTENSION}`)}.`,
    );
  }
  const { template, system_prompt } = await readPrompt(join(folder, `${id}${EXTENSION}`));
  return {
    ...rest,
    prompt_template: template,
    ...(system_prompt === undefined || (rest.system_prompt ?? null) !== null ? {} : { system_prompt }),
  };
}

/** The ids of the prompts in a folder. */
async function promptIds(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    throw new InvalidRunInputError(`The folder of prompts "${folder}" cannot be read: ${error.message}`, {
      cause: error,
    });
  });
  return names
    .filter((name) => name.endsWith(EXTENSION) && !name.startsWith('.'))
    .map((name) => name.slice(0, -EXTENSION.length))
    .sort();
}

async function readPrompt(path: string): Promise<{ template: string; system_prompt: string | undefined }> {
  const text = (await readFile(path, 'utf8')).replace(/^\uFEFF/, '').replaceAll('\r\n', '\n');
  const [whole = '', front] = /^---\n([\s\S]*?)^---\n/m.exec(text) ?? [];
  const isFront = front !== undefined && text.startsWith(whole);
  const template = (isFront ? text.slice(whole.length) : text).trim();
  if (template === '') throw new InvalidRunInputError(`The prompt "${path}" has no text.`);
  const { system_prompt } = isFront ? readFrontMatter(front, path) : {};
  return { template, system_prompt };
}

function readFrontMatter(front: string, path: string): z.infer<typeof FrontMatter> {
  try {
    return FrontMatter.parse(parse(front) ?? {});
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    throw new InvalidRunInputError(
      `The front matter of "${path}" (between its two lines of ---) is not valid; it may have description and system_prompt.\n${reason}`,
      { cause: error },
    );
  }
}
