import { chmod } from 'node:fs/promises';
import { bundle } from './bundle.ts';

// One file for `npx quarry`.
await bundle('src/cli/main.ts', 'dist/cli.mjs');
await chmod('dist/cli.mjs', 0o755);
