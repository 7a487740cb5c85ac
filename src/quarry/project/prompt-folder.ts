import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { parse } from 'yaml';
import { z } from 'zod';
import { InvalidRunInputError } from '../../core/errors.ts';
import { ANSWERS_INPUT } from '../../core/run-input/answers-input.ts';
import { MODEL_INPUT } from '../../core/run-input/model-input.ts';
import { PROMPT_INPUT } from '../../core/run-input/prompt-input.ts';
import { isJsonObject } from '../../core/text/json-value.ts';
import { byLikeness } from '../../core/text/nearest.ts';
import { promptIdToTemplate } from '../../prompts/prompt-templates.ts';

const EXTENSION = '.md';

/** What a prompt's file may say before its text: keys of the run input that go with the prompt, and what it is for. */
const FrontMatter = z
  .strictObject({
    description: z.string(),
    system_prompt: PROMPT_INPUT.fields.system_prompt,
    messages: PROMPT_INPUT.fields.messages,
    model_id: MODEL_INPUT.fields.model_id,
    thinking: MODEL_INPUT.fields.thinking,
    inference_parameters: MODEL_INPUT.fields.inference_parameters,
    output_schema: ANSWERS_INPUT.fields.output_schema,
  })
  .partial();

/** What all rows of a run have in common, whichever prompt they are asked by. */
const SHARED_KEYS = Object.keys(FrontMatter.shape).filter((key) => key !== 'description');

/** Its keys, as a message lists them. */
const FRONT_MATTER_KEYS = Object.keys(FrontMatter.shape).join(', ');

/**
 * The run input with the prompt that it names, where that is a file (`prompt_file`) or one of the folder (`prompt_id`): so the
 * run is the same on every target, wherever the file is. What the file says beside its text holds unless the input says it.
 * Throws InvalidRunInputError for a file that cannot be read, or whose front matter is not valid.
 */
export async function withPromptText(
  input: Record<string, unknown>,
  folder: string | undefined,
): Promise<Record<string, unknown>> {
  const { prompt_file: file, ...named } = input;
  if (file !== undefined && file !== null) {
    if (typeof file !== 'string') throw new InvalidRunInputError('prompt_file must be the path of a file.');
    const other = ['prompt_id', 'prompt_template', 'prompt_id_column'].find(
      (key) => (named[key] ?? null) !== null,
    );
    if (other !== undefined) throw new InvalidRunInputError(`Give prompt_file or ${other}, not both.`);
    return withPrompt(named, await readPrompt(file));
  }
  const { prompt_id: id, ...rest } = named;
  if (folder === undefined) return named;
  if (typeof named.prompt_id_column === 'string' && (named.prompt_templates ?? null) === null) {
    return withPromptsOf(folder, named);
  }
  if (typeof id !== 'string') return named;
  const ids = await promptIds(folder);
  if (!ids.includes(id)) {
    if (Object.hasOwn(promptIdToTemplate, id)) return named;
    const known = byLikeness(id, [...new Set([...ids, ...Object.keys(promptIdToTemplate)])]);
    throw new InvalidRunInputError(
      `There is no prompt_id "${id}". Known ids, the nearest first: ${known.join(', ')}. Or write ${join(folder, `${id}${EXTENSION}`)}.`,
    );
  }
  return withPrompt(rest, await readPrompt(join(folder, `${id}${EXTENSION}`)));
}

/**
 * The run input with all prompts of a folder, of which a column of the dataset chooses one for each row, and with what their
 * files say of the keys that the input does not give. Throws InvalidRunInputError where they do not say the same.
 */
async function withPromptsOf(
  folder: string,
  input: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  const templates: Record<string, string> = { ...promptIdToTemplate };
  const fronts: { name: string; front: Record<string, unknown> }[] = [];
  for (const id of await promptIds(folder)) {
    const name = `${id}${EXTENSION}`;
    const prompt = await readPrompt(join(folder, name));
    const { prompt_template: template, ...front } = withPrompt(input, prompt);
    templates[id] = String(template);
    fronts.push({ name, front });
  }
  const [first, ...others] = fronts;
  if (first === undefined) return input;
  for (const { name, front } of others) {
    const differing = SHARED_KEYS.find((key) => !isDeepStrictEqual(front[key], first.front[key]));
    if (differing === undefined) continue;
    throw new InvalidRunInputError(
      `The prompts of "${folder}" differ in ${differing}: ${first.name} and ${name} do not say the same. Rows that a prompt_id_column gives different prompts are asked alike in everything else: give ${differing} in the run input, or keep such prompts in folders of their own.`,
    );
  }
  return { ...first.front, prompt_templates: templates };
}

/** The run input with a prompt's text, and with what its file says of the keys that the input does not give. */
function withPrompt(input: Record<string, unknown>, { template, ...front }: Prompt): Record<string, unknown> {
  const given = Object.entries(input).filter(([, value]) => value !== undefined && value !== null);
  const { inference_parameters: parameters } = front;
  return {
    ...front,
    ...Object.fromEntries(given),
    prompt_template: template,
    ...(parameters === undefined || !isJsonObject(input.inference_parameters)
      ? {}
      : { inference_parameters: { ...parameters, ...input.inference_parameters } }),
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

/** A prompt's text, and what its file says beside it. */
type Prompt = { template: string } & Omit<z.infer<typeof FrontMatter>, 'description'>;

async function readPrompt(path: string): Promise<Prompt> {
  const read = await readFile(path, 'utf8').catch((error: Error) => {
    throw new InvalidRunInputError(`The prompt "${path}" cannot be read: ${error.message}`, { cause: error });
  });
  const text = read.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n');
  const [whole = '', front] = /^---\n([\s\S]*?)^---\n/m.exec(text) ?? [];
  const isFront = front !== undefined && text.startsWith(whole);
  const template = (isFront ? text.slice(whole.length) : text).trim();
  if (template === '') throw new InvalidRunInputError(`The prompt "${path}" has no text.`);
  const { description: _, ...keys } = isFront ? readFrontMatter(front, path) : {};
  return { template, ...keys };
}

function readFrontMatter(front: string, path: string): z.infer<typeof FrontMatter> {
  let document: unknown;
  try {
    document = parse(front) ?? {};
  } catch (error) {
    throw new InvalidRunInputError(
      `The front matter of "${path}" (between its two lines of ---) is not YAML: ${(error as Error).message}`,
      { cause: error },
    );
  }
  const { data, error } = FrontMatter.safeParse(document);
  if (data !== undefined) return data;
  throw new InvalidRunInputError(
    `The front matter of "${path}" is not valid; it may have ${FRONT_MATTER_KEYS}.\n${z.prettifyError(error)}`,
    { cause: error },
  );
}
