import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { systemClock } from '../../core/clock.ts';
import { DEFAULT_DURATIONS, type StageDurations } from '../../emulator/jobs/timing.ts';
import { startEmulator } from '../../emulator/server.ts';
import { createDirectoryStore } from '../../store/directory-store.ts';
import type { CliContext } from '../cli-context.ts';

/** `quarry emulate`: the Bedrock emulator alone, for other programs' tests. */
export function addEmulateCommand(program: Command, { out, err }: CliContext): void {
  program
    .command('emulate')
    .description('Run the Bedrock batch emulator alone; any AWS SDK or the AWS CLI can talk to it.')
    .option('--port <port>', 'TCP port on 127.0.0.1', toPort, 8585)
    .option('--dir <directory>', 'the local store: s3://bucket/key is <directory>/bucket/key', '.quarry')
    .option('--model-endpoint <url>', 'let an OpenAI-compatible server answer instead of the simulated model')
    .option(
      '--track-records',
      'keep the id of each answered record: GET /_emulator/usage tells those answered twice',
    )
    .option('--time-scale <factor>', 'let every stage of a job take so many times as long', toFactor, 1)
    .action(async ({ port, dir, modelEndpoint, trackRecords, timeScale }: EmulateOptions) => {
      const emulator = await startEmulator({
        store: createDirectoryStore(dir),
        stateDirectory: join(dir, '.emulator'),
        clock: systemClock,
        port,
        trackRecords: trackRecords === true,
        durations: scaleDurations(timeScale),
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

interface EmulateOptions {
  port: number;
  dir: string;
  modelEndpoint?: string;
  trackRecords?: boolean;
  timeScale: number;
}

function scaleDurations(factor: number): StageDurations {
  const { submittedMs, validatingMs, scheduledMs, inProgressMs, inProgressMsPerRecord, stoppingMs } =
    DEFAULT_DURATIONS;
  return {
    submittedMs: submittedMs * factor,
    validatingMs: validatingMs * factor,
    scheduledMs: scheduledMs * factor,
    inProgressMs: inProgressMs * factor,
    inProgressMsPerRecord: inProgressMsPerRecord * factor,
    stoppingMs: stoppingMs * factor,
  };
}

function toFactor(text: string): number {
  const factor = Number(text);
  if (!(factor >= 0) || !Number.isFinite(factor)) throw new InvalidArgumentError('Give a number from 0.');
  return factor;
}

function toPort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new InvalidArgumentError('Give 0 to 65535.');
  return port;
}
