import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InvalidRunInputError } from '../../core/errors.ts';
import { CONFIG_FILE } from './config-file.ts';

/** What a project begins with. */
const FILES: Readonly<Record<string, string>> = {
  'run.yaml': `# What is run: quarry run --input run.yaml

# A file or folder beside this one, s3://bucket/key, or hf:owner/name.
dataset: reviews.csv

# Any model of Amazon Bedrock: quarry models lists those that Quarry knows.
model_id: us.amazon.nova-lite-v1:0

# The text of prompts/sentiment.md; or give it here, as prompt_template.
prompt_id: sentiment

inference_parameters:
  max_tokens: 200

# A run that could cost more is refused before anything is sent.
max_cost_usd: 5

# A pilot: the first 100 rows only.
# max_records: 100
`,
  'prompts/sentiment.md': `---
description: One word for the sentiment of a review.
system_prompt: You label reviews.
---
Is this review positive, negative or mixed? Answer with one word.

<review>
{review}
</review>
`,
  'reviews.csv': `id,review
1,"Arrived in two days, works as described."
2,"Broke after a week. Never again."
3,"Good sound, poor battery."
`,
  [CONFIG_FILE]: `${JSON.stringify({ target: 'local', directory: '.quarry', prompts: 'prompts' }, null, 2)}\n`,
};

const IGNORED = '.quarry/';

/** What was laid, and what was there and left as it is. */
export interface LaidProject {
  created: string[];
  kept: string[];
}

/** Lays a project into a folder: a run input with comments, a prompt, a dataset, the options. Changes no file but `.gitignore`. */
export async function initProject(folder: string): Promise<LaidProject> {
  const laid: LaidProject = { created: [], kept: [] };
  const lay = async (name: string, write: () => Promise<boolean>): Promise<void> => {
    ((await write()) ? laid.created : laid.kept).push(name);
  };
  try {
    for (const [name, text] of Object.entries(FILES)) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await lay(name, () => writeIfAbsent(join(folder, name), text));
    }
    await lay('.gitignore', () => ignore(join(folder, '.gitignore')));
  } catch (error) {
    throw new InvalidRunInputError(
      `A project cannot be created in "${folder}": ${(error as Error).message}`,
      {
        cause: error,
      },
    );
  }
  return laid;
}

async function writeIfAbsent(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Adds the local store to what git does not look at; false where it is there. */
async function ignore(path: string): Promise<boolean> {
  const text = await readFile(path, 'utf8').catch(() => '');
  if (text.split(/\r?\n/).includes(IGNORED)) return false;
  await writeFile(path, `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${IGNORED}\n`);
  return true;
}
