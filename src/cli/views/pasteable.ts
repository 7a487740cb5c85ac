import { basename, sep } from 'node:path';
import { shellWord } from './format.ts';

const DEFAULT_DIRECTORY = '.quarry';

/** What has a part in how the command line was called. */
export interface Calling {
  /** Environment variables. npm sets `npm_command`; a wrapper can say in `QUARRY_PROGRAM` what it is called. */
  env: Readonly<Record<string, string | undefined>>;
  /** The script that was started: `process.argv[1]`. */
  script: string | undefined;
}

/** How to call the command line again: `quarry` where that is on the PATH, else `npx quarry`. */
export function programOf({ env, script = '' }: Calling): string {
  if (env.QUARRY_PROGRAM !== undefined && env.QUARRY_PROGRAM !== '') return env.QUARRY_PROGRAM;
  const isByNpm = (env.npm_command ?? '') !== '' || script.includes(`${sep}node_modules${sep}`);
  return basename(script) === 'quarry' && !isByNpm ? 'quarry' : 'npx quarry';
}

const PROGRAM = programOf({ env: process.env, script: process.argv[1] });

/** A command that can be pasted into this shell; `directory` is its `--dir`, left out where it is the default. */
export function pasteable(words: string, directory: string = DEFAULT_DIRECTORY): string {
  const dir = directory === DEFAULT_DIRECTORY ? '' : ` --dir ${shellWord(directory)}`;
  return `${PROGRAM} ${words}${dir}`;
}

/** A message of the library, with the commands that it names at the end of a line as they can be pasted. */
export function withPasteable(message: string): string {
  return message.replaceAll(/(?<=: |\| )quarry (?=[a-z]+ ?\S*$)/gm, `${PROGRAM} `);
}
