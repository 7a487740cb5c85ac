import { type ChildProcess, spawn } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** What an invocation of a function gives. */
export type Invocation =
  | { kind: 'output'; output: unknown }
  | { kind: 'error'; error: { errorType: string; errorMessage: string } };

/** One bundle, loaded as Lambda would load it, in a folder with nothing else. */
export interface LambdaHost extends AsyncDisposable {
  /** Milliseconds from an empty process to a handler that can be called. */
  coldStartMs: number;
  /** One event at a time, as a Lambda environment takes them. */
  invoke(event: unknown): Promise<Invocation>;
  /** All that it wrote to its log. */
  log(): string;
}

/** Starts a bundle with these environment variables and no others. */
export async function startLambdaHost(
  assetDirectory: string,
  environment: Readonly<Record<string, string>>,
): Promise<LambdaHost> {
  const folder = await mkdtemp(join(tmpdir(), 'quarry-bundle-'));
  await cp(assetDirectory, folder, { recursive: true });
  const child = spawn(process.execPath, [join(import.meta.dirname, 'lambda-bootstrap.mjs'), folder], {
    cwd: folder,
    // Functions run side by side here, each with a /tmp of its own as on Lambda.
    env: { ...environment, TMPDIR: folder, PATH: process.env.PATH ?? '' },
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      log += chunk;
    });
  }
  const answers = createInterface({ input: child.stdio[3] as Readable })[Symbol.asyncIterator]();
  const next = async (): Promise<Record<string, unknown>> => {
    const { value, done } = await answers.next();
    if (done) throw new Error(`The function has ended: ${log}`);
    return JSON.parse(value);
  };
  const close = async () => {
    await end(child);
    await rm(folder, { recursive: true, force: true });
  };
  const ready = await next();
  if (ready.ready !== true) {
    await close();
    throw new Error(`The bundle does not load: ${JSON.stringify(ready.error)}`);
  }
  let turn: Promise<unknown> = Promise.resolve();
  let count = 0;
  const invoke = async (event: unknown): Promise<Invocation> => {
    count += 1;
    child.stdin?.write(`${JSON.stringify({ id: count, event })}\n`);
    const { output, error } = await next();
    return error === undefined
      ? { kind: 'output', output }
      : { kind: 'error', error: error as { errorType: string; errorMessage: string } };
  };
  return {
    coldStartMs: Number(ready.coldStartMs),
    invoke: (event) => {
      const answer = turn.then(() => invoke(event));
      turn = answer.catch(() => {});
      return answer;
    },
    log: () => log,
    [Symbol.asyncDispose]: close,
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill();
  await ended;
}
