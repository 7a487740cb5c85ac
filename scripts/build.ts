import { execFileSync } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { STEP_SIZES } from '../infra/step-sizes.ts';
import { bundleAll, bundleHandler } from './bundle.ts';

// What the package has: its entry points, the command, the functions that `quarry/cdk` deploys, and the types.
const ENTRY_POINTS = {
  index: 'src/index.ts',
  emulator: 'src/emulator/index.ts',
  engine: 'src/engine/index.ts',
  cdk: 'infra/index.ts',
};
const CODE = 'dist/lib';

await rm('dist', { recursive: true, force: true });
await bundleAll(
  { ...ENTRY_POINTS, cli: 'src/cli/main.ts', 'install-duckdb': 'infra/install-duckdb.ts' },
  CODE,
);
for (const { file } of Object.values(STEP_SIZES)) {
  bundleHandler(join('src/handlers', file), join(CODE, 'lambda', basename(file, '.ts')));
}
// A module is evaluated after those that it imports, one after the other: the check comes before everything else.
await writeFile(
  'dist/node-version.js',
  "import fault from '../bin/node-version.cjs';\n\nif (fault !== undefined) throw new Error(fault);\n",
);
for (const name of Object.keys(ENTRY_POINTS)) {
  await writeFile(`dist/${name}.js`, `import './node-version.js';\n\nexport * from './lib/${name}.js';\n`);
}
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '--project', 'tsconfig.build.json'], {
  stdio: 'inherit',
});
