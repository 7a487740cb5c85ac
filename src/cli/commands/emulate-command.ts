import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { systemClock } from '../../core/clock.ts';
import { DEFAULT_DURATIONS, type StageDurations } from '../../emulator/jobs/timing.ts';
import { type EmulatorOptions, type ModelServerOptions, startEmulator } from '../../emulator/server.ts';
import type { ClaimRecord } from '../../runs/claim.ts';
import { createDirectoryStore } from '../../store/directory-store.ts';
import { modelServerOfTarget, requireModelServer } from '../../targets/local/model-endpoint.ts';
import { ownEmulator } from '../../targets/local/shared-emulator.ts';
import type { CliContext } from '../cli-context.ts';
import { CliError } from '../cli-error.ts';
import { readFaultsFile, readProfilesFile } from '../options/emulator-files.ts';
import { addEndpointOptions, type EndpointOptions, endpointSettings } from '../options/endpoint-options.ts';

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
  { port, dir, trackRecords, timeScale, faults, profiles, ...endpoint }: EmulateOptions,
  { out, err }: CliContext,
): Promise<void> {
  const modelServer = await openModelServer(endpoint);
  const stateDirectory = join(dir, '.emulator');
  const options: EmulatorOptions = {
    store: createDirectoryStore(dir),
    stateDirectory,
    clock: systemClock,
    port,
    trackRecords: trackRecords === true,
    durations: scaleDurations(timeScale),
    onNotice: ({ message }) => err.write(`${message}\n`),
    ...(modelServer === undefined ? {} : { modelServer }),
    ...(faults === undefined ? {} : { faults: await readFaultsFile(faults) }),
    ...(profiles === undefined ? {} : { applicationProfiles: await readProfilesFile(profiles) }),
  };
  const owned = await ownEmulator(createDirectoryStore(stateDirectory), () => startEmulator(options));
  if (owned.kind === 'taken') throw busyError(dir, owned.by);
  await using serving = owned;
  out.write(`${serving.emulator.url}\n`);
  err.write(
    `Bedrock emulator; objects in ${dir}; ${modelServer === undefined ? 'simulated model' : `answers from ${modelServer.url}`}. Ctrl-C stops it.\n`,
  );
  await new Promise<void>((resolve, reject) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
    serving.lost.addEventListener('abort', () =>
      reject(
        new CliError(
          'EmulatorBusyError',
          `Another process has taken the emulator of ${dir} over. This one ends.`,
        ),
      ),
    );
  });
}

/** The server that the options name; asked for one token where they name its model too. */
async function openModelServer(options: EndpointOptions): Promise<ModelServerOptions | undefined> {
  const keyed = modelServerOfTarget(endpointSettings(options, undefined));
  if (keyed === undefined) return undefined;
  if (keyed.server.model !== null) await requireModelServer(keyed, undefined);
  return { ...keyed.server, ...(keyed.apiKey === undefined ? {} : { apiKey: keyed.apiKey }) };
}

/** Two emulators on one folder would run every job twice. */
function busyError(dir: string, { process: { pid, host }, url }: ClaimRecord): CliError {
  const where = url === null ? 'It does not serve yet' : `Use it: ${url}`;
  return new CliError(
    'EmulatorBusyError',
    `Process ${pid} on ${host} serves the emulator of ${dir} already. ${where}, or name another folder with --dir.`,
  );
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
