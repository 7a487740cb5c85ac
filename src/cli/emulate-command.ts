import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { systemClock } from '../core/clock.ts';
import { startEmulator } from '../emulator/server.ts';
import { createDirectoryStore } from '../store/directory-store.ts';
import type { CliContext } from './cli-context.ts';

/** `quarry emulate`: the Bedrock emulator alone, for other programs' tests. */
export function addEmulateCommand(program: Command, { out, err }: CliContext): void {
  program
    .command('emulate')
    .description('Run the Bedrock batch emulator alone; any AWS SDK or the AWS CLI can talk to it.')
    .option('--port <port>', 'TCP port on 127.0.0.1', toPort, 8585)
    .option('--dir <directory>', 'the local store: s3://bucket/key is <directory>/bucket/key', '.quarry')
    .option('--model-endpoint <url>', 'let an OpenAI-compatible server answer instead of the simulated model')
    .action(async ({ port, dir, modelEndpoint }: { port: number; dir: string; modelEndpoint?: string }) => {
      const emulator = await startEmulator({
        store: createDirectoryStore(dir),
        stateDirectory: join(dir, '.emulator'),
        clock: systemClock,
        port,
        ...(modelEndpoint === undefined ? {} : { modelEndpoint }),
      });
      out.write(`${emulator.url}\n`);
      err.write(
        `Bedrock emulator; objects in ${dir}; ${modelEndpoint === undefined ? 'simulated model' : `answers from ${modelEndpoint}`}. Ctrl-C stops it.\n`,
      );
      await new Promise<void>((resolve) => {
        process.once('SIGINT', resolve);
        process.once('SIGTERM', resolve);
      });
      await emulator.close();
    });
}

function toPort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new InvalidArgumentError('Give 0 to 65535.');
  return port;
}
