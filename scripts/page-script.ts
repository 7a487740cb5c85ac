import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';

const ENTRY = join(import.meta.dirname, '../src/report/client/page.ts');

/** What the licences of the libraries in the script ask for. */
const NOTICE =
  '/* Has Observable Plot, (c) 2020-2023 Observable, Inc., and D3, (c) 2010-2023 Mike Bostock: ISC licence. */';

/** Where the script is, from the repository's root. */
export const PAGE_SCRIPT_PATH = 'src/report/page-script.ts';

/** False in a checkout whose packages are older than the script. */
export function hasPlotLibrary(): boolean {
  return existsSync(join(import.meta.dirname, '../node_modules/@observablehq/plot'));
}

/** The script of reports as a module that a checkout, the package and the Lambda functions have alike. */
export function renderPageScript(): string {
  const { outputFiles } = buildSync({
    entryPoints: [ENTRY],
    bundle: true,
    write: false,
    minify: true,
    format: 'iife',
    platform: 'browser',
    target: ['chrome111', 'firefox115', 'safari16.4'],
    charset: 'ascii',
    legalComments: 'none',
    banner: { js: NOTICE },
  });
  const [script] = outputFiles;
  if (script === undefined) throw new Error('esbuild made nothing.');
  return `// Made by scripts/generate-docs.ts from src/report/client: change that, then run it.
/** The script of a report's page, with the plotting library. */
export const PAGE_SCRIPT = ${JSON.stringify(script.text.trim())};
`;
}
