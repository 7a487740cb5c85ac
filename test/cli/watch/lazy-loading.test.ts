import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');

test('what draws the full view is loaded by watch alone, once there is a terminal for it', async () => {
  const { metafile } = await build({
    ...{ bundle: true, splitting: true, write: false, metafile: true, packages: 'external' },
    ...{ platform: 'node', format: 'esm', outdir: 'out', logLevel: 'silent', absWorkingDir: ROOT },
    entryPoints: [join(ROOT, 'src/cli/main.ts')],
  });
  /** The packages that are loaded with a file, and those that it loads later. */
  const reached = (start: string, kinds: readonly string[]): Set<string> => {
    const seen = new Set<string>();
    const queue = [start];
    for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
      if (seen.has(file)) continue;
      seen.add(file);
      for (const { path, kind } of metafile.outputs[file]?.imports ?? [])
        if (kinds.includes(kind)) queue.push(path);
    }
    return seen;
  };
  const main = Object.keys(metafile.outputs).find((file) => file.endsWith('main.js')) as string;
  const drawing = ['ink', 'react', 'wrap-ansi'];
  const atOnce = reached(main, ['import-statement']);
  expect(drawing.filter((name) => atOnce.has(name))).toEqual([]);
  const later = reached(main, ['import-statement', 'dynamic-import']);
  expect(drawing.filter((name) => later.has(name))).toEqual(drawing);
});
