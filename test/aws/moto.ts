import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';

/** Account that moto says it is. */
export const MOTO_ACCOUNT = '123456789012';
export const REGION = 'us-east-1';
export const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };

/** A running moto server. */
export interface Moto extends AsyncDisposable {
  url: string;
}

const PYTHON = join(import.meta.dirname, '..', '..', '.venv', 'moto', 'bin', 'python');

/** Starts moto on a free port; its own clients call `http://localhost:<engineCallsPort>`. */
export async function startMoto({ engineCallsPort }: { engineCallsPort?: number } = {}): Promise<Moto> {
  const port = await freePort();
  const moto = spawn(PYTHON, [join(import.meta.dirname, 'moto_server.py'), String(port)], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, MOTO_PORT: String(engineCallsPort ?? port) },
  });
  let errors = '';
  moto.stderr.on('data', (chunk) => {
    errors = `${errors}${chunk}`.slice(-5000);
  });
  const url = `http://127.0.0.1:${port}`;
  for (let attempt = 0; ; attempt += 1) {
    const answer = await fetch(`${url}/moto-api/`).catch(() => undefined);
    if (answer?.ok) break;
    if (moto.exitCode !== null || attempt > 900) throw new Error(`moto did not start: ${errors}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      const ended = new Promise((resolve) => moto.once('exit', resolve));
      moto.kill();
      await ended;
    },
  };
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('There is no free port.');
  return address.port;
}
