import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { InvalidRunInputError } from '../../core/errors.ts';
import { FaultScript } from '../../emulator/index.ts';

const Profiles = z.record(z.string(), z.string());

/** Reads `--faults`: a fault script, as docs/emulator.md has it. */
export async function readFaultsFile(path: string): Promise<z.input<typeof FaultScript>> {
  const parsed = FaultScript.safeParse(await readJsonFile('--faults', path));
  if (parsed.success) return parsed.data;
  throw new InvalidRunInputError(
    `--faults "${path}" is not a fault script: ${placeOf(parsed.error)}. Write a list of rules, or {"seed": 1}; docs/emulator.md has every kind of fault with its keys.`,
  );
}

/** Reads `--profiles`: the base model id of each application inference profile, by the profile's id. */
export async function readProfilesFile(path: string): Promise<Record<string, string>> {
  const parsed = Profiles.safeParse(await readJsonFile('--profiles', path));
  if (parsed.success) return parsed.data;
  throw new InvalidRunInputError(
    `--profiles "${path}" is not a list of profiles: ${placeOf(parsed.error)}. Write {"<profile id>": "<base model id>"}.`,
  );
}

async function readJsonFile(flag: string, path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new InvalidRunInputError(`${flag} "${path}" cannot be read: ${error.code ?? error.message}.`, {
      cause: error,
    });
  });
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InvalidRunInputError(`${flag} "${path}" is not JSON: ${(error as Error).message}.`, {
      cause: error,
    });
  }
}

/** Where the first fault of a document is, as JavaScript would write it. */
function placeOf({ issues }: z.ZodError): string {
  const [first] = issues.flatMap(deepest);
  const place = (first?.path ?? []).map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`));
  const keys = first?.code === 'unrecognized_keys' ? `: the key ${first.keys.join(', ')} is unknown` : '';
  return `${place.length === 0 ? 'the document as a whole is wrong' : `${place.join('').replace(/^\./, '')} is wrong`}${keys}`;
}

/** Of a value that fits no form, what the form says that it comes nearest to. */
function deepest(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const inner = issue.errors
    .map((form) => form.flatMap(deepest))
    .sort((a, b) => (b[0]?.path.length ?? 0) - (a[0]?.path.length ?? 0))[0];
  const [first] = inner ?? [];
  return first === undefined ? [issue] : [{ ...first, path: [...issue.path, ...first.path] }];
}
