import { existsSync, readFileSync } from 'node:fs';

const ROOT = new URL('../../', import.meta.url);

/** A line of a page that names the test that proves it. */
export interface NamedTest {
  feature: string;
  file: string;
  /** As it stands in the source. */
  title: string;
}

/** The lines `- [x] feature — test/some.test.ts: "title"` of a page; throws for one of another form. */
export function readNamedTests(page: string): NamedTest[] {
  const lines = readFileSync(new URL(page, ROOT), 'utf8').split('\n');
  return lines
    .filter((line) => line.startsWith('- [x]'))
    .map((line) => {
      const match = /^- \[x\] (.+) — (test\/\S+\.test\.ts): "(.+)"$/.exec(line);
      const [, feature, file, title] = match ?? [];
      if (feature === undefined || file === undefined || title === undefined) {
        throw new Error(`${page} has a line that names no test: ${line}`);
      }
      return { feature, file, title };
    });
}

/** Whether there is such a test. */
export function testExists({ file, title }: NamedTest): boolean {
  const path = new URL(file, ROOT);
  if (!existsSync(path)) return false;
  const source = readFileSync(path, 'utf8');
  return source.includes(`'${title}'`) || source.includes(`"${title}"`);
}
