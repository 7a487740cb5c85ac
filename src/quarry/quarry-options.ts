import type { z } from 'zod';
import { InvalidRunInputError } from '../core/errors.ts';
import { PRICE_KEYS, Prices } from '../core/run-input/prices.ts';
import { nearest } from '../core/text/nearest.ts';
import type { RunTarget } from '../runs/run-target.ts';

/** Where runs run, and where their files lie. */
export interface QuarryOptions {
  /** An emulator, this machine with your account, or the stack; by default where a run is, else `local`. */
  target?: RunTarget['kind'] | undefined;
  /** The local store: `s3://bucket/key` is `<directory>/bucket/key`. @default '.quarry' */
  directory?: string | undefined;
  /** local: an OpenAI-compatible server (`http://localhost:11434/v1`) that answers, not the simulated model. */
  modelEndpoint?: string | undefined;
  /** local: that server's name of the model. @default the model id */
  endpointModel?: string | undefined;
  /** local: environment variable that holds its key. */
  endpointApiKeyEnv?: string | undefined;
  /** local: requests that it gets at once. @default 4 */
  endpointConcurrency?: number | undefined;
  /** local: seconds that it may take for one answer. @default 300 */
  endpointTimeout?: number | undefined;
  /** local: URL of a Bedrock emulator that runs already. */
  emulator?: string | undefined;
  /** bedrock: bucket of datasets, runs and results, in the region of the jobs. */
  bucket?: string | undefined;
  /** bedrock: account that the bucket must belong to. @default the role’s */
  bucketOwner?: string | undefined;
  /** bedrock: service role that Bedrock assumes for the jobs. */
  roleArn?: string | undefined;
  /** bedrock: seconds between two looks at a job. @default 60 */
  pollSeconds?: number | undefined;
  /** local, bedrock: records that one job may have, where the account's quota is another than Quarry's default. */
  recordsPerJobQuota?: number | undefined;
  /** aws: the stack. @default 'Quarry' */
  stack?: string | undefined;
  /** bedrock, aws. @default AWS_REGION, or the profile’s */
  region?: string | undefined;
  /** bedrock, aws: profile of the AWS configuration. @default AWS_PROFILE */
  profile?: string | undefined;
  /** Folder whose `<prompt_id>.md` are prompts, beside those that Quarry brings. */
  prompts?: string | undefined;
  /**
   * Who is told that a run has ended or failed: a command of the shell, which gets JSON on its standard input, or the URL of a
   * webhook, which gets it in a POST. On AWS only while the run is followed from here: a stack has an SNS topic.
   */
  notify?: string | undefined;
  /** What models cost, where a run input does not say it; by model id, before the catalogue’s. */
  prices?: Prices | undefined;
  /** What holds where neither an option nor what is remembered of a run says otherwise; `findConfig` reads it. */
  defaults?: QuarryDefaults | undefined;
  /** How messages write an option, and one with a value; for programs that have names of their own for them. */
  spell?: Spelling | undefined;
}

/** Options that a project has for all its runs. */
export type QuarryDefaults = Omit<QuarryOptions, 'defaults' | 'spell'>;

/** Writes an option's name, or the option with its value. */
export type Spelling = (option: string, value?: string) => string;

/** The folder of the local store, unless another is given. */
export const DEFAULT_DIRECTORY = '.quarry';

/** Options of texts. */
const TEXTS = [
  'target',
  'directory',
  'modelEndpoint',
  'endpointModel',
  'endpointApiKeyEnv',
  'emulator',
  'bucket',
  'bucketOwner',
  'roleArn',
  'stack',
  'region',
  'profile',
  'prompts',
  'notify',
] as const satisfies (keyof QuarryOptions)[];

/** Options of whole numbers from 1. */
const COUNTS = [
  'pollSeconds',
  'recordsPerJobQuota',
  'endpointConcurrency',
] as const satisfies (keyof QuarryOptions)[];

/** Every option that there is. */
const OPTION_NAMES: readonly string[] = [
  ...TEXTS,
  ...COUNTS,
  'endpointTimeout',
  'prices',
  'defaults',
  'spell',
];

/** As JavaScript writes them. */
const spellAsCode: Spelling = (option, value) => (value === undefined ? option : `${option}: '${value}'`);

/** How messages write options. */
export function spellingOf({ spell = spellAsCode }: QuarryOptions): Spelling {
  return spell;
}

/** The folder of the local store. */
export function directoryOf({ directory, defaults }: QuarryOptions): string {
  return directory ?? defaults?.directory ?? DEFAULT_DIRECTORY;
}

/** Throws InvalidRunInputError for what is not an option, or not of its type. */
export function requireOptions(options: QuarryOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw new InvalidRunInputError("The options are an object, like { target: 'local' }.");
  }
  const faults = Object.keys(options)
    .filter((name) => !OPTION_NAMES.includes(name))
    .map((name) => {
      const known = nearest(name, OPTION_NAMES);
      return `"${name}" is not an option${known === undefined ? '' : ` (did you mean "${known}"?)`}`;
    });
  for (const name of TEXTS) {
    const value: unknown = options[name];
    if (value !== undefined && typeof value !== 'string') faults.push(`${name} must be a text`);
  }
  for (const name of COUNTS) {
    const value = options[name];
    if (value !== undefined && !(Number.isInteger(value) && value >= 1)) {
      faults.push(`${name} must be a whole number from 1`);
    }
  }
  const { endpointTimeout = 1 } = options;
  if (!(endpointTimeout > 0 && endpointTimeout <= 86_400)) {
    faults.push('endpointTimeout must be a number of seconds above 0, at most 86400');
  }
  const prices = Prices.optional().safeParse(options.prices);
  faults.push(...(prices.error?.issues ?? []).flatMap((issue) => describePriceFault(issue)));
  if (faults.length === 0) return;
  throw new InvalidRunInputError(
    `The options are not valid.\n${faults.map((fault) => `  - ${fault}`).join('\n')}\nOptions: ${OPTION_NAMES.join(', ')}.`,
  );
}

/** What is wrong with a price, by its path. */
export function describePriceFault(issue: z.core.$ZodIssue): string[] {
  const path = ['prices', ...issue.path].join('.');
  if (issue.code !== 'unrecognized_keys') return [`${path}: ${issue.message}`];
  return issue.keys.map((key) => {
    const known = nearest(key, PRICE_KEYS);
    return `${path}: "${key}" is not one of them${known === undefined ? '' : ` (did you mean "${known}"?)`}`;
  });
}
