import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ADAPTERS = join(import.meta.dirname, '../src/models/adapters');
/** It takes what no other adapter takes, so it is asked last, by hand. */
const FALLBACK = 'converse.ts';

/** The list of all adapters with a body of their own: what the folder has, so that a new family is one new file. */
export function renderNativeAdapters(): string {
  const adapters = readdirSync(ADAPTERS)
    .toSorted()
    .flatMap((file) => {
      const name = /^export const (\w+): ModelAdapter = \{$/m.exec(
        readFileSync(join(ADAPTERS, file), 'utf8'),
      );
      return name === null || file === FALLBACK ? [] : [{ file, name: name[1] ?? '' }];
    });
  return `// Made by scripts/generate-docs.ts from the files of this folder: add a family's file, then run it.
${adapters
  .map(({ file, name }) => ({ file, line: `import { ${name} } from './${file}';` }))
  .concat({ file: 'model-adapter.ts', line: "import type { ModelAdapter } from './model-adapter.ts';" })
  .toSorted((a, b) => (a.file < b.file ? -1 : 1))
  .map(({ line }) => line)
  .join('\n')}

/** Every model family with a body of its own. */
export const NATIVE_ADAPTERS: readonly ModelAdapter[] = [${inLines(adapters.map(({ name }) => name))}];
`;
}

/** A list's items as the formatter has them: on one line where they fit. */
function inLines(names: readonly string[]): string {
  const line = names.join(', ');
  return line.length <= 51 ? line : `\n${names.map((name) => `  ${name},\n`).join('')}`;
}
