import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';

const CLIENT = join(import.meta.dirname, '../src/report/client');

/** What the licences of the libraries in the script ask for. */
const NOTICE =
  '/* Has Observable Plot, (c) 2020-2023 Observable, Inc., and D3, (c) 2010-2023 Mike Bostock: ISC licence. */';

/** Where the script is, from the repository's root. */
export const PAGE_SCRIPT_PATH = 'src/report/page-script.ts';
export const DIFF_PAGE_SCRIPT_PATH = 'src/report/diff/diff-page-script.ts';

/** False in a checkout whose packages are older than the script. */
export function hasPlotLibrary(): boolean {
  return existsSync(join(import.meta.dirname, '../node_modules/@observablehq/plot'));
}

/** The script of reports as a module that a checkout, the package and the Lambda functions have alike. */
export function renderPageScript(): string {
  return renderScript({
    entry: 'page.ts',
    banner: NOTICE,
    says: "The script of a report's page, with the plotting library.",
    name: 'PAGE_SCRIPT',
  });
}

/** The script of the page of a diff. */
export function renderDiffPageScript(): string {
  return renderScript({
    entry: 'diff-page.ts',
    banner: '',
    says: 'The script of the page of a diff.',
    name: 'DIFF_PAGE_SCRIPT',
  });
}

function renderScript({
  entry,
  banner,
  says,
  name,
}: {
  entry: string;
  banner: string;
  says: string;
  name: string;
}): string {
  const { outputFiles } = buildSync({
    entryPoints: [join(CLIENT, entry)],
    bundle: true,
    write: false,
    minify: true,
    format: 'iife',
    platform: 'browser',
    target: ['chrome111', 'firefox115', 'safari16.4'],
    charset: 'ascii',
    legalComments: 'none',
    banner: { js: banner },
  });
  const [script] = outputFiles;
  if (script === undefined) throw new Error('esbuild made nothing.');
  return `// Made by scripts/generate-docs.ts from src/report/client: change that, then run it.
/** ${says} */
export const ${name} = ${JSON.stringify(script.text.trim())};
`;
}
