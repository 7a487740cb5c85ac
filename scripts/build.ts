import { chmod } from 'node:fs/promises';
import { build } from 'esbuild';

// One file for `npx quarry`; packages stay where npm puts them.
await build({
  entryPoints: ['src/cli/main.ts'],
  outfile: 'dist/cli.mjs',
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  packages: 'external',
  sourcemap: true,
});
await chmod('dist/cli.mjs', 0o755);
