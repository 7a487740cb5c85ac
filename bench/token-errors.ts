import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { loadTokenizer } from '../src/models/tokenizer.ts';

// `node bench/token-errors.ts FOLDER`: how many tokens the tokenizers of families make of some texts, against o200k. FOLDER has
// the packages `@lenml/tokenizer-…` in its node_modules, which are 20 to 130 MB each, and no dependency of Quarry for that.

interface FamilyTokenizer {
  fromPreTrained(): { encode(text: string, options: { add_special_tokens: boolean }): unknown[] };
}

const FAMILIES = ['claude', 'llama3', 'qwen2_5', 'deepseek_v3', 'gemma2', 'mistral_nemo'];
const folder = resolve(process.argv[2] ?? '.');
const { resolve: find } = createRequire(join(folder, 'package.json'));
const textOf = (path: string, characters: number) =>
  readFileSync(join(import.meta.dirname, '..', path), 'utf8').slice(0, characters);

/** Texts of a document of axe-core that are Chinese. */
function chinese(): string {
  const texts: string[] = [];
  JSON.parse(textOf('node_modules/axe-core/locales/zh_CN.json', 1e9), (_, value: unknown) => {
    if (typeof value === 'string' && /\p{Script=Han}{4}/u.test(value)) texts.push(value);
    return value;
  });
  return texts.join('\n');
}

const TEXTS = {
  'English prose': textOf('docs/data.md', 40_000),
  'a licence': textOf('LICENSE', 40_000),
  TypeScript:
    textOf('src/rows/collect/collect-part.ts', 40_000) + textOf('src/steps/waves/decide-wave.ts', 40_000),
  'JSON of films': textOf('node_modules/vega-datasets/data/movies.json', 60_000),
  'JSON of packages': textOf('package-lock.json', 40_000),
  Chinese: chinese(),
};

const count = await loadTokenizer();
for (const family of FAMILIES) {
  const { fromPreTrained } = (await import(find(`@lenml/tokenizer-${family}`))) as FamilyTokenizer;
  const tokenizer = fromPreTrained();
  const ratios = Object.entries(TEXTS).map(([name, text]) => {
    const tokens = tokenizer.encode(text, { add_special_tokens: false }).length;
    return `${name} ${(tokens / count(text)).toFixed(3)}`;
  });
  process.stdout.write(`${family}: ${ratios.join(' · ')}\n`);
}
