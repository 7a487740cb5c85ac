import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../support/temporary-directory.ts';

// From the package the same is tried by scripts/test-package.sh, by a real older Node too where there is one.
test('from a checkout, an older Node gets one line that says which is needed', async () => {
  const older = join(await temporaryDirectory(), 'older.cjs');
  await writeFile(older, "Object.defineProperty(process.versions, 'node', { value: '22.21.0' });");
  const run = promisify(execFile)(process.execPath, ['--require', older, 'bin/quarry.cjs', '--version']);
  await expect(run).rejects.toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^Quarry needs Node 24\.\d+ or later, and this is Node 22\.21\.0\.\n$/),
  });
});
