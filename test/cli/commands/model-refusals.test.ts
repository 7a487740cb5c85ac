import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runQuarry } from '../../support/run-quarry.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const OPUS_4_1 = 'us.anthropic.claude-opus-4-1-20250805-v1:0';
const SONNET_4_6 = 'us.anthropic.claude-sonnet-4-6';
const OPUS_5 = 'us.anthropic.claude-opus-5';
const BOTH = ['--temperature', '0', '--top-p', '0.5'];
const STOP = ['--stop-sequence', 'END'];

const TOGETHER = 'refuses temperature and top_p together. Give one of them.';
const NO_STOP = 'refuses stop_sequences. Leave them out.';

test.each([
  [OPUS_4_1, BOTH, TOGETHER],
  [SONNET_4_6, BOTH, TOGETHER],
  ['openai.gpt-oss-120b-1:0', STOP, NO_STOP],
  ['qwen.qwen3-235b-a22b-2507-v1:0', STOP, NO_STOP],
  ['deepseek.v3-v1:0', STOP, NO_STOP],
  [OPUS_5, ['--top-k', '40'], 'refuses top_k. Leave it out.'],
  [OPUS_5, ['--stop-sequence', '\t'], 'refuses one of white space alone. Leave it out.'],
  ['us.anthropic.claude-3-5-haiku-20241022-v1:0', ['--max-tokens', '8193'], 'refuses more than 8192.'],
  ['us.anthropic.claude-opus-4-20250514-v1:0', ['--max-tokens', '32001'], 'refuses more than 32000.'],
  ['us.meta.llama3-1-8b-instruct-v1:0', ['--max-tokens', '8193'], 'refuses more than 8192.'],
])(
  'a plan and a run refuse what %s would refuse of every record (%j), and nothing is spent',
  async (model, flags, why) => {
    const directory = await temporaryDirectory();
    const file = join(directory, 'rows.csv');
    await writeFile(file, 'a\n1\n');
    for (const command of ['plan', 'run']) {
      const { status, out, err } = await runQuarry(
        ...[command, file, '--dir', join(directory, 'store'), '--model-id', model],
        ...['--prompt-template', '{a}?', ...flags],
      );
      expect([status, out]).toEqual([1, '']);
      expect(err).toContain('inference_parameters');
      expect(err).toContain(`${model} ${why}`);
    }
    expect(await readdir(join(directory, 'store', 'quarry-local', 'runs')).catch(() => [])).toEqual([]);
  },
);
