import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, buildSync, type Plugin } from 'esbuild';

const COMMON = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  sourcemap: true,
} as const satisfies BuildOptions;

/** CommonJS packages in an ES module ask for `require`. */
const REQUIRE_BANNER =
  "import { createRequire as createRequireOfBundle } from 'node:module'; const require = createRequireOfBundle(import.meta.url);";

/** Of this package one encoding is used, a tenth of it: that is taken along, and the package is no dependency. */
const TAKEN_ALONG: Plugin = {
  name: 'taken-along',
  setup: ({ onResolve }) => {
    onResolve({ filter: /^gpt-tokenizer\// }, ({ path }) => ({
      path: fileURLToPath(import.meta.resolve(path)),
    }));
  },
};

/** Makes one file of an entry point and what it imports; packages stay where npm puts them. */
export async function bundle(entry: string, outfile: string): Promise<void> {
  await build({ ...COMMON, entryPoints: [entry], outfile, target: 'node24', packages: 'external' });
}

/** Makes one file for each entry point, by its name, and further ones of what several of them import. */
export async function bundleAll(entryPoints: Record<string, string>, outdir: string): Promise<void> {
  await build({
    ...COMMON,
    entryPoints,
    outdir,
    splitting: true,
    chunkNames: 'chunk-[hash]',
    plugins: [TAKEN_ALONG],
    // An older Node must be able to read it, to say that it is too old.
    target: 'node20',
    packages: 'external',
  });
}

/** Makes `main.js` of the command line and all that it imports but DuckDB, which is native, and the CDK, which is large. */
export async function bundleCommand(outdir: string): Promise<void> {
  await build({
    ...COMMON,
    entryPoints: { main: 'src/cli/main.ts' },
    outdir,
    splitting: true,
    target: 'node24',
    mainFields: ['module', 'main'],
    banner: { js: REQUIRE_BANNER },
    external: ['@duckdb/*', 'aws-cdk', 'aws-cdk-lib', 'constructs', 'cdk-nag', 'react-devtools-core'],
  });
}

/** Makes one file of a step's handler and all that it imports but DuckDB, which is native. */
export function bundleHandler(entry: string, outputDirectory: string): void {
  buildSync({
    ...COMMON,
    entryPoints: [entry],
    outfile: join(outputDirectory, 'index.mjs'),
    target: 'node24',
    mainFields: ['module', 'main'],
    minify: true,
    sourcesContent: false,
    banner: { js: REQUIRE_BANNER },
    external: ['@duckdb/*'],
  });
}
