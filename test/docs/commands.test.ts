import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { runQuarry } from '../support/run-quarry.ts';

/** The `quarry` commands of a page's shell blocks, each as its words: options, and what is no option. */
function commandsOf(file: string): { file: string; command: string; words: string[] }[] {
  const blocks = [...readFileSync(file, 'utf8').matchAll(/```sh\n(.*?)```/gs)].map(([, text = '']) => text);
  const lines = blocks
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n');
  return lines.flatMap((line) => {
    const [, rest] =
      /^(?:npx quarry|npm run --silent quarry --|npm run quarry --) (.*)$/.exec(line.trim()) ?? [];
    if (rest === undefined) return [];
    const [command = '', ...words] = rest
      .replace(/'[^']*'|"[^"]*"/g, 'TEXT')
      .replace(/\s#.*$/, '')
      .trim()
      .split(/\s+/);
    return [{ file, command, words }];
  });
}

const pages = ['README.md', 'CONTRIBUTING.md', ...readdirSync('docs').map((name) => `docs/${name}`)];
const commands = pages.filter((page) => page.endsWith('.md')).flatMap(commandsOf);

test('the pages have commands to copy', () => {
  expect(commands.length).toBeGreaterThan(20);
});

test.each(commands)('$file: quarry $command $words', async ({ command, words }) => {
  const { out } = await runQuarry(command, '--help');
  const known = new Set(out.match(/(?<![\w-])--?[a-z][a-z-]*/g));
  expect(out).toContain(`Usage: quarry ${command}`);
  const options = words
    .filter((word) => word.startsWith('-') && word !== '-')
    .map((word) => word.split('=')[0]);
  expect(options.filter((option) => !known.has(option as string))).toEqual([]);
});
