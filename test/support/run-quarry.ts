import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { runCli } from '../../src/cli/program.ts';

/** What a command printed, and its exit status. */
export interface QuarryOutcome {
  status: number;
  out: string;
  err: string;
}

/** Runs the command line within this process, as a program that is not on a terminal. */
export function runQuarry(...args: string[]): Promise<QuarryOutcome> {
  return runQuarryOn(Readable.from([], { objectMode: false }), ...args);
}

/** The same, with a standard input. */
export async function runQuarryOn(input: Readable, ...args: string[]): Promise<QuarryOutcome> {
  const out = new PassThrough();
  const err = new PassThrough();
  const printed = Promise.all([text(out), text(err)]);
  const status = await runCli(args, {
    in: input as NodeJS.ReadStream,
    out: out as unknown as NodeJS.WriteStream,
    err: err as unknown as NodeJS.WriteStream,
    exitStatus: 0,
  });
  out.end();
  err.end();
  const [outText, errText] = await printed;
  return { status, out: outText, err: errText };
}
