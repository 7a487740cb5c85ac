import { expect, test } from 'vitest';
import { RUN_INPUT_CONCERNS } from '../../../src/core/run-input/run-input.ts';
import { runQuarry } from '../../support/run-quarry.ts';

test.each(['run', 'plan'])(
  '`quarry %s --help` groups its flags by concern, as the reference page does',
  async (command) => {
    const { out } = await runQuarry(command, '--help');
    const headings = [...out.matchAll(/^(\S.*):$/gm)].map(([, heading]) => heading);
    expect(headings).toEqual([
      'Arguments',
      'Options',
      'Where it runs',
      ...RUN_INPUT_CONCERNS.map(({ title }) => title),
    ]);
    const sections = out.split(/^\S.*:\n/m);
    expect(sections.at(-1)).toContain('--max-records-per-job <n>');
    expect(sections.at(5)).toContain('--max-tokens <n>');
    expect(sections.at(5)).toMatch(/Maximum tokens per answer\. \(default: 1024\)/);
  },
);

test.each(['run', 'plan', 'resume', 'results'])(
  '`quarry %s --help` fits into 80 columns',
  async (command) => {
    const { out } = await runQuarry(command, '--help');
    expect(out.split('\n').filter((line) => line.length > 80)).toEqual([]);
  },
);
