import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Puts DuckDB beside a Lambda bundle: `node install-duckdb.ts OUTPUT_FOLDER`. Its native part is the one that
 * Lambda runs on, whatever this machine is: from node_modules where it is there, from the registry otherwise.
 */
const outputDirectory = process.argv[2];
if (outputDirectory === undefined) throw new Error('Usage: node install-duckdb.ts OUTPUT_FOLDER');

// Each is looked for from the one that needs it: package managers do not all lay them side by side.
const api = findPackage('@duckdb/node-api', import.meta.dirname);
if (api === undefined) throw new Error('@duckdb/node-api is not installed: run npm install.');
const bindings = findPackage('@duckdb/node-bindings', api);
const native = bindings && findPackage('@duckdb/node-bindings-linux-x64', bindings);
const detectLibc = bindings && findPackage('detect-libc', bindings);

const target = join(outputDirectory, 'node_modules');
rmSync(target, { recursive: true, force: true });
if (bindings && detectLibc && native && versionOf(native) === versionOf(bindings)) {
  for (const folder of [api, bindings, detectLibc, native]) {
    const place = join(target, manifestOf(folder).name);
    mkdirSync(dirname(place), { recursive: true });
    // Only the package itself: what it needs is laid beside it.
    cpSync(folder, place, { recursive: true, dereference: true, filter: (path) => !isNested(path, folder) });
  }
} else {
  // A Mac, or another architecture: npm leaves out what does not run on this machine unless it is told.
  const flags = ['--os=linux', '--cpu=x64', '--libc=glibc', '--no-save', '--no-package-lock', '--silent'];
  const packages = [`@duckdb/node-api@${versionOf(api)}`];
  execFileSync('npm', ['install', '--prefix', outputDirectory, ...flags, ...packages], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** The folder of a package as Node finds it for code in `from`; undefined where it is not installed. */
function findPackage(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const found = join(folder, 'node_modules', name);
    if (existsSync(join(found, 'package.json'))) return realpathSync(found);
    if (folder === dirname(folder)) return undefined;
  }
}

function manifestOf(folder: string): { name: string; version: string } {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

function versionOf(folder: string): string {
  return manifestOf(folder).version;
}

function isNested(path: string, folder: string): boolean {
  return path === join(folder, 'node_modules');
}
