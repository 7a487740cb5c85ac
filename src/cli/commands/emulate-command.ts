import { type Command, InvalidArgumentError } from 'commander';
import { DEFAULT_DURATIONS, type StageDurations } from '../../emulator/index.ts';
import type { CliContext } from '../cli-context.ts';
import { readFaultsFile, readProfilesFile } from '../options/emulator-files.ts';
import { addEndpointOptions, type EndpointOptions } from '../options/endpoint-options.ts';
import { quarryOf } from '../options/target-options.ts';

/** `quarry emulate`: the Bedrock emulator alone, for other programs' tests. */
export function addEmulateCommand(program: Command, context: CliContext): void {
  const command = program
    .command('emulate')
    .description('Run the Bedrock batch emulator alone; any AWS SDK or the AWS CLI can talk to it.')
    .option('--port <port>', 'TCP port on 127.0.0.1', toPort, 8585)
    .option('--dir <directory>', 'the local store: s3://bucket/key is <directory>/bucket/key', '.quarry');
  addEndpointOptions(command)
    .option(
      '--track-records',
      'keep the id of each answered record: GET /_emulator/usage tells those answered twice',
    )
    .option(
      '--time-scale <factor>',
      'multiply the duration of every stage of a job by this factor',
      toFactor,
      1,
    )
    .option('--faults <file>', 'inject the faults of this script, a JSON document')
    .option(
      '--profiles <file>',
      'know these application inference profiles: JSON, the base model id by the profile’s id',
    )
    .action((options: EmulateOptions) => emulate(options, context));
}

async function emulate(
  { port, trackRecords, timeScale, faults, profiles, ...options }: EmulateOptions,
  { out, err }: CliContext,
): Promise<void> {
  await using served = await quarryOf(options).emulate({
    port,
    trackRecords: trackRecords === true,
    durations: scaleDurations(timeScale),
    onNotice: ({ message }) => err.write(`${message}\n`),
    ...(faults === undefined ? {} : { faults: await readFaultsFile(faults) }),
    ...(profiles === undefined ? {} : { applicationProfiles: await readProfilesFile(profiles) }),
  });
  const { url, modelServerUrl, lost } = served;
  out.write(`${url}\n`);
  err.write(
    `Bedrock emulator; objects in ${options.dir}; ${modelServerUrl === undefined ? 'simulated model' : `answers from ${modelServerUrl}`}. Ctrl-C stops it.\n`,
  );
  await new Promise<void>((resolve, reject) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
    lost.addEventListener('abort', () => reject(lost.reason));
  });
}

interface EmulateOptions extends EndpointOptions {
  port: number;
  dir: string;
  trackRecords?: boolean;
  timeScale: number;
  faults?: string;
  profiles?: string;
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
  if (!(factor >= 0) || !Number.isFinite(factor)) throw new InvalidArgumentError('It must be 0 or greater.');
  return factor;
}

function toPort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new InvalidArgumentError('Give 0 to 65535.');
  return port;
}
