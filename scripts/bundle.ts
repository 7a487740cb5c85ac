import { build } from 'esbuild';

/** Makes one file of an entry point and what it imports; packages stay where npm puts them. */
export async function bundle(entry: string, outfile: string): Promise<void> {
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    packages: 'external',
    sourcemap: true,
  });
}
