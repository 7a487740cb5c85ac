import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Puts DuckDB beside a Lambda bundle: `node infra/install-duckdb.ts OUTPUT_FOLDER`. Its native part is the one that
 * Lambda runs on, whatever this machine is: from node_modules where it is there, from the registry otherwise.
 */
const outputDirectory = process.argv[2];
if (outputDirectory === undefined) throw new Error('Usage: node infra/install-duckdb.ts OUTPUT_FOLDER');

const root = join(import.meta.dirname, '..');
const BINDING = '@duckdb/node-bindings-linux-x64';
const PACKAGES = ['@duckdb/node-api', '@duckdb/node-bindings', 'detect-libc', BINDING];

const target = join(outputDirectory, 'node_modules');
const versionOf = (name: string): string => {
  const path = join(root, 'node_modules', name, 'package.json');
  return existsSync(path) ? String(JSON.parse(readFileSync(path, 'utf8')).version) : '';
};

rmSync(target, { recursive: true, force: true });
if (versionOf(BINDING) !== '' && versionOf(BINDING) === versionOf('@duckdb/node-bindings')) {
  for (const name of PACKAGES) {
    mkdirSync(dirname(join(target, name)), { recursive: true });
    cpSync(join(root, 'node_modules', name), join(target, name), { recursive: true, dereference: true });
  }
} else {
  // A Mac, or another architecture: npm leaves out what does not run on this machine unless it is told.
  const flags = ['--os=linux', '--cpu=x64', '--libc=glibc', '--no-save', '--no-package-lock', '--silent'];
  const packages = [`@duckdb/node-api@${versionOf('@duckdb/node-api')}`];
  execFileSync('npm', ['install', '--prefix', outputDirectory, ...flags, ...packages], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
