import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import * as engine from '../../src/engine/index.ts';

const ROOT = new URL('../../', import.meta.url);
const page = await readFile(new URL('docs/engine.md', ROOT), 'utf8');
const programs = [...page.matchAll(/```ts\n(.*?)```.*?```text\n(.*?)```/gs)].map(([, program, printed]) => ({
  program: program ?? '',
  printed: printed ?? '',
}));

describe('docs/engine.md', () => {
  test('has programs, the first of about ten lines', () => {
    expect(programs).toHaveLength(2);
    expect(programs[0]?.program.trim().split('\n').length).toBeLessThanOrEqual(14);
  });

  test.each(programs)('says what a program prints: $printed', async ({ program, printed }) => {
    const folder = await mkdtemp(join(tmpdir(), 'quarry-engine-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const entry = new URL('src/engine/index.ts', ROOT).href;
    const file = join(folder, 'program.ts');
    await writeFile(file, program.replace("'quarry/engine'", JSON.stringify(entry)));
    const { stdout } = await promisify(execFile)(process.execPath, ['--no-warnings', file]);
    expect(stdout).toBe(printed);
  });

  test('tells of everything that can be called', () => {
    const functions = Object.keys(engine);
    expect(functions.filter((name) => !page.includes(name))).toEqual([]);
  });
});
