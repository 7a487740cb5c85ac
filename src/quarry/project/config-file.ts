import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { InvalidRunInputError } from '../../core/errors.ts';
import { Prices } from '../../core/run-input/prices.ts';
import { nearest } from '../../core/text/nearest.ts';
import { describePriceFault, type QuarryDefaults } from '../quarry-options.ts';

/** The file that holds a project's options. */
export const CONFIG_FILE = 'quarry.config.json';

const Text = z.string().min(1).optional();

const Config = z.strictObject({
  target: z.enum(['local', 'bedrock', 'aws']).optional(),
  directory: Text,
  modelEndpoint: Text,
  endpointModel: Text,
  endpointApiKeyEnv: Text,
  endpointConcurrency: z.int().min(1).optional(),
  endpointTimeout: z.number().gt(0).max(86_400).optional(),
  emulator: Text,
  bucket: Text,
  bucketOwner: Text,
  roleArn: Text,
  pollSeconds: z.int().min(1).optional(),
  stack: Text,
  region: Text,
  profile: Text,
  prompts: Text,
  notify: Text,
  prices: Prices.optional(),
  context: z.record(z.string(), z.unknown()).optional(),
});

/** A project's options, and the file that they are in. */
export interface FoundConfig {
  path: string;
  /** Its folders are those of the file's own place. */
  defaults: QuarryDefaults;
  /** Context keys of the stack, for `quarry deploy`. */
  context: Record<string, unknown>;
}

/** Reads the nearest `quarry.config.json` of a folder or one above it; undefined where there is none. */
export async function findConfig(from: string): Promise<FoundConfig | undefined> {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    const path = join(folder, CONFIG_FILE);
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
      throw new InvalidRunInputError(`${path} cannot be read: ${error.message}`, { cause: error });
    });
    if (text !== undefined) return { path, ...parseConfig(text, path) };
    if (folder === dirname(folder)) return undefined;
  }
}

function parseConfig(text: string, path: string): Omit<FoundConfig, 'path'> {
  const result = Config.safeParse(parseJson(text, path));
  if (!result.success) {
    const faults = result.error.issues.flatMap(describeFault);
    throw new InvalidRunInputError(
      `${path} is not valid.\n${faults.map((fault) => `  - ${fault}`).join('\n')}\nKeys: ${KEYS.join(', ')}.`,
    );
  }
  const { context = {}, ...defaults } = result.data;
  const { directory, prompts } = defaults;
  const folder = dirname(path);
  return {
    context,
    defaults: {
      ...defaults,
      ...(directory === undefined ? {} : { directory: resolve(folder, directory) }),
      ...(prompts === undefined ? {} : { prompts: resolve(folder, prompts) }),
    },
  };
}

const KEYS = Object.keys(Config.shape);

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InvalidRunInputError(`${path} is not JSON: ${(error as Error).message}`, { cause: error });
  }
}

function describeFault(issue: z.core.$ZodIssue): string[] {
  const [first, ...rest] = issue.path;
  if (first === 'prices') return describePriceFault({ ...issue, path: rest });
  if (issue.code !== 'unrecognized_keys')
    return [`${issue.path.join('.') || 'the document'}: ${issue.message}`];
  return issue.keys.map((key) => {
    const known = nearest(key, KEYS);
    return `"${key}" is not a key of it${known === undefined ? '' : ` (did you mean "${known}"?)`}`;
  });
}
