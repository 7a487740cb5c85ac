import { expect, test } from 'vitest';
import { pasteable, programOf, withPasteable } from '../../../src/cli/views/pasteable.ts';

test.each([
  [{ env: {}, script: '/usr/local/bin/quarry' }, 'quarry'],
  [{ env: { npm_command: 'exec' }, script: '/home/me/p/node_modules/.bin/quarry' }, 'npx quarry'],
  [{ env: {}, script: '/home/me/p/node_modules/.bin/quarry' }, 'npx quarry'],
  [{ env: { npm_command: 'run-script' }, script: '/home/me/quarry/src/cli/main.ts' }, 'npx quarry'],
  [{ env: {}, script: '/home/me/quarry/src/cli/main.ts' }, 'npx quarry'],
  [{ env: { QUARRY_PROGRAM: 'docker run quarry', npm_command: 'exec' }, script: '/x' }, 'docker run quarry'],
])('called as %j it is called again as %s', (calling, program) => {
  expect(programOf(calling)).toBe(program);
});

test('a command has its folder, as one word of the shell', () => {
  expect(pasteable('resume a')).toBe('quarry resume a');
  expect(pasteable('resume a', '.quarry')).toBe('quarry resume a');
  expect(pasteable('resume a', "/my runs/it's")).toBe("quarry resume a --dir '/my runs/it'\\''s'");
});

test('a message of the library names commands so too', () => {
  expect(withPasteable('There is no Bedrock emulator at x. Start one: quarry emulate')).toBe(
    'There is no Bedrock emulator at x. Start one: quarry emulate',
  );
  expect(withPasteable('the quarry run by night')).toBe('the quarry run by night');
});
