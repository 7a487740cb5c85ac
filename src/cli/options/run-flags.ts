import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { parse } from 'yaml';
import { InvalidRunInputError } from '../../core/errors.ts';
import { RUN_INPUT_FIELDS, RUN_INPUT_KEYS } from '../../core/run-input/run-input.ts';

/** Keys whose value is not given by a flag of its own: DATASET stands for them. */
const DATASET_KEYS = ['s3_uri', 'dataset_id'];

/** What a flag's text must be. */
type FlagType = 'text' | 'number' | 'boolean' | 'json' | 'list' | 'document';

/** Flags of single inference parameters. */
const PARAMETER_FLAGS: readonly { flag: string; key: string; type: FlagType; description: string }[] = [
  {
    flag: 'max-tokens',
    key: 'max_tokens',
    type: 'number',
    description: 'Most tokens of an answer. Default 1024.',
  },
  { flag: 'temperature', key: 'temperature', type: 'number', description: 'Sampling temperature.' },
  { flag: 'top-p', key: 'top_p', type: 'number', description: 'Nucleus sampling.' },
  { flag: 'top-k', key: 'top_k', type: 'number', description: 'Sampling from the k likeliest tokens.' },
  { flag: 'dimensions', key: 'dimensions', type: 'number', description: 'Length of an embedding.' },
];

/** Adds a flag for every key of the run input, `--max-records` for `max_records`, in the schema's own words. */
export function addRunFlags(command: Command): Command {
  for (const [key, schema] of Object.entries(RUN_INPUT_FIELDS)) {
    if (DATASET_KEYS.includes(key)) continue;
    const type = typeOf(schema);
    const flag = `--${toFlag(key)}${type === 'boolean' ? '' : ` <${type === 'json' ? 'json' : toFlag(key)}>`}`;
    const description = (schema.description ?? '').replaceAll('`', '');
    command.addOption(new Option(flag, description).argParser(parserOf(type)));
  }
  command.addOption(new Option('--no-pilot', 'Run all parts at once.'));
  command.addOption(new Option('--max-records-per-batch <n>').argParser(parserOf('number')).hideHelp());
  for (const { flag, type, description } of PARAMETER_FLAGS) {
    command.addOption(new Option(`--${flag} <${type}>`, description).argParser(parserOf(type)));
  }
  return command.option(
    '--stop-sequence <text...>',
    'Text at which an answer stops; may be given several times.',
  );
}

/** The run input that flags and a document (`--input`) make together; a flag overrides the document. */
export async function runInputOf(options: Record<string, unknown>): Promise<Record<string, unknown>> {
  const { input: path } = options;
  const document = typeof path === 'string' ? besideItself(await readDocument('--input', path), path) : {};
  const given: Record<string, unknown> = { ...document };
  for (const key of [...RUN_INPUT_KEYS, 'max_records_per_batch']) {
    const value = options[toOptionName(key)];
    if (value !== undefined && key !== 'input') given[key] = value;
  }
  if (typeof options.outputSchema === 'string') {
    given.output_schema = options.outputSchema.trimStart().startsWith('{')
      ? parseDocument('--output-schema', options.outputSchema)
      : await readDocument('--output-schema', options.outputSchema);
  }
  const parameters: Record<string, unknown> = { ...(given.inference_parameters as object | undefined) };
  for (const { flag, key } of PARAMETER_FLAGS) {
    const value = options[toOptionName(flag.replaceAll('-', '_'))];
    if (value !== undefined) parameters[key] = value;
  }
  if (options.stopSequence !== undefined) parameters.stop_sequences = options.stopSequence;
  if (Object.keys(parameters).length > 0) given.inference_parameters = parameters;
  return given;
}

async function readDocument(flag: string, path: string): Promise<Record<string, unknown>> {
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new InvalidRunInputError(`${flag} "${path}" cannot be read: ${error.message}`, { cause: error });
  });
  return parseDocument(`${flag} "${path}"`, text, { isYaml: /\.ya?ml$/i.test(path) });
}

function parseDocument(what: string, text: string, { isYaml = false } = {}): Record<string, unknown> {
  let document: unknown;
  try {
    document = isYaml ? parse(text) : JSON.parse(text);
  } catch (error) {
    throw new InvalidRunInputError(
      `${what} is not ${isYaml ? 'YAML' : 'JSON'}: ${(error as Error).message}`,
      { cause: error },
    );
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new InvalidRunInputError(`${what} must hold one ${isYaml ? 'YAML mapping' : 'JSON object'}.`);
  }
  return document as Record<string, unknown>;
}

/** A dataset that a document names by a path lies beside the document. */
function besideItself(document: Record<string, unknown>, path: string): Record<string, unknown> {
  const { dataset } = document;
  if (typeof dataset !== 'string' || /^(?:s3:\/\/|hf:)/.test(dataset)) return document;
  return { ...document, dataset: isAbsolute(dataset) ? dataset : join(dirname(path), dataset) };
}

function typeOf(schema: { type: string }): FlagType {
  switch (schema.type) {
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'object':
      return 'json';
    case 'array':
      return 'list';
    case 'record':
      return 'document';
    default:
      return 'text';
  }
}

function parserOf(type: FlagType): (text: string) => unknown {
  switch (type) {
    case 'text':
    case 'document':
      return (text) => text;
    case 'list':
      return (text) => text.split(',').map((item) => item.trim());
    case 'boolean':
      return () => true;
    case 'number':
      return (text) => {
        const value = Number(text);
        if (text.trim() === '' || !Number.isFinite(value))
          throw new InvalidArgumentError('It is not a number.');
        return value;
      };
    case 'json':
      return (text) => {
        const document = parseJson(text);
        if (document === undefined) throw new InvalidArgumentError('It is not JSON.');
        return document;
      };
  }
}

function toFlag(key: string): string {
  return key.replaceAll('_', '-');
}

/** Commander's own name of a flag. */
function toOptionName(key: string): string {
  return key.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
