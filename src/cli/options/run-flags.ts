import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { parse } from 'yaml';
import { InvalidRunInputError } from '../../core/errors.ts';
import { ANSWERS_INPUT } from '../../core/run-input/answers-input.ts';
import { type Concern, describeField } from '../../core/run-input/concern.ts';
import { InferenceParameters, MODEL_INPUT } from '../../core/run-input/model-input.ts';
import { PROMPT_INPUT } from '../../core/run-input/prompt-input.ts';
import { ROAD_INPUT } from '../../core/run-input/road-input.ts';
import { RUN_INPUT_CONCERNS, RUN_INPUT_KEYS } from '../../core/run-input/run-input.ts';

/** Keys whose value is not given by a flag of its own: DATASET stands for them. */
const DATASET_KEYS = ['s3_uri', 'dataset_id'];

/** Keys that share one flag, `--pilot [n]`: whether there is a pilot, and of how many rows if the run is to stop after it. */
const PILOT_KEYS = ['pilot', 'pilot_rows'];

/** Keys whose flag takes a JSON document, or the path of one. */
const DOCUMENT_KEYS = ['output_schema', 'prices', 'prompt_templates', 'variants'];

/** Keys that are true by default, whose flag says which. */
const TRUTH_KEYS = ['csv_header'];

/** What a flag's text must be. */
type FlagType = 'text' | 'number' | 'boolean' | 'truth' | 'json' | 'list' | 'document';

/** A key's schema, as far as its flag follows it. */
type FieldSchema = { type: string; meta(): { description?: string | undefined } | undefined };

/** What stands for the value in the help: short, so that descriptions have room on 80 columns. */
const PLACEHOLDERS: Readonly<Record<FlagType, string>> = {
  text: ' <text>',
  number: ' <n>',
  boolean: '',
  truth: ' <true|false>',
  json: ' <json>',
  list: ' <list>',
  document: ' <json>',
};

/** Flags of single inference parameters, those that are numbers or words: `--max-tokens` for `max_tokens`. */
const PARAMETER_KEYS = Object.entries(InferenceParameters.shape)
  .filter(([, schema]) => ['number', 'enum'].includes(schema.unwrap().type))
  .map(([key]) => key);

/**
 * Adds a flag for every key of the run input, `--max-records` for `max_records`, in the schema's own words and under the
 * heading of its concern.
 */
export function addRunFlags(command: Command): Command {
  for (const concern of RUN_INPUT_CONCERNS) {
    for (const option of optionsOf(concern)) command.addOption(option.helpGroup(`${concern.title}:`));
  }
  return command.addOption(
    new Option('--max-records-per-batch <n>').argParser(parserOf('number')).hideHelp(),
  );
}

function optionsOf(concern: Concern): Option[] {
  return [
    ...Object.entries(concern.fields)
      .filter(([key]) => ![...DATASET_KEYS, ...PILOT_KEYS].includes(key))
      .map(([key, schema]) => optionOf(key, schema)),
    ...(concern === MODEL_INPUT ? parameterOptions() : []),
    ...(concern === PROMPT_INPUT
      ? [
          new Option(
            '--prompt-file <path>',
            'File with the template, instead of prompt_id; may have front matter.',
          ),
        ]
      : []),
    ...(concern === ANSWERS_INPUT ? [new Option('--no-reask', 'Send such rows again as they were.')] : []),
    ...(concern === ROAD_INPUT ? pilotOptions() : []),
  ];
}

function pilotOptions(): Option[] {
  return [
    new Option('--pilot [n]', describe(ROAD_INPUT.fields.pilot_rows.meta()?.description ?? '')).argParser(
      (text) => {
        if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
        throw new InvalidArgumentError('It is not a whole number above 0.');
      },
    ),
    new Option('--no-pilot', 'Run all parts at once.'),
  ];
}

function parameterOptions(): Option[] {
  return [
    ...Object.entries(InferenceParameters.shape)
      .filter(([key]) => PARAMETER_KEYS.includes(key))
      .map(([key, schema]) => optionOf(key, schema.unwrap())),
    new Option('--stop-sequence <text...>', 'Text at which an answer stops; repeat for several.'),
  ];
}

function optionOf(key: string, schema: FieldSchema): Option {
  const type = TRUTH_KEYS.includes(key) ? 'truth' : typeOf(schema);
  const flag = `--${toFlag(key)}${PLACEHOLDERS[type]}`;
  return new Option(flag, describe(schema.meta()?.description ?? '')).argParser(parserOf(type));
}

/** A description as a terminal shows it, with its default at the end. */
function describe(description: string): string {
  const { meaning, defaultText } = describeField(description);
  const text = meaning.replaceAll(/\[([^\]]+)\]\([^)]+\)/g, '$1').replaceAll('`', '');
  return defaultText === '' ? text : `${text} (default: ${defaultText.replaceAll('`', '')})`;
}

/** The run input that flags and a document (`--input`) make together; a flag overrides the document. */
export async function runInputOf(options: Record<string, unknown>): Promise<Record<string, unknown>> {
  const { input: path } = options;
  const document = typeof path === 'string' ? besideItself(await readDocument('--input', path), path) : {};
  const given: Record<string, unknown> = { ...document };
  for (const key of [...RUN_INPUT_KEYS, 'max_records_per_batch']) {
    const value = options[toOptionName(key)];
    if (value === undefined || key === 'input') continue;
    given[key === 'pilot' && typeof value === 'number' ? 'pilot_rows' : key] = value;
  }
  for (const key of DOCUMENT_KEYS) {
    const text = options[toOptionName(key)];
    if (typeof text !== 'string') continue;
    const flag = `--${toFlag(key)}`;
    given[key] = text.trimStart().startsWith('{')
      ? parseDocument(flag, text)
      : await readDocument(flag, text);
  }
  if (options.promptFile !== undefined) given.prompt_file = options.promptFile;
  const parameters: Record<string, unknown> = { ...(given.inference_parameters as object | undefined) };
  for (const key of PARAMETER_KEYS) {
    const value = options[toOptionName(key)];
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

/** What a document names by a path, its dataset, its prompt's file and the folder of its images, lies beside the document. */
function besideItself(document: Record<string, unknown>, path: string): Record<string, unknown> {
  const beside = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(beside);
    const isBeside = typeof value === 'string' && !/^(?:s3:\/\/|hf:)/.test(value) && !isAbsolute(value);
    return isBeside ? join(dirname(path), value) : value;
  };
  const paths = Object.entries(document).filter(([key]) =>
    ['dataset', 'prompt_file', 'files_folder'].includes(key),
  );
  return { ...document, ...Object.fromEntries(paths.map(([key, value]) => [key, beside(value)])) };
}

function typeOf(schema: FieldSchema): FlagType {
  switch (schema.type) {
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'object':
      return 'json';
    case 'array':
      return 'element' in schema && (schema.element as FieldSchema).type === 'object' ? 'json' : 'list';
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
    case 'truth':
      return (text) => {
        if (text !== 'true' && text !== 'false')
          throw new InvalidArgumentError('It is neither true nor false.');
        return text === 'true';
      };
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
