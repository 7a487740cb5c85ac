import type { Command } from 'commander';
import { DEFAULT_POLL_SECONDS, DEFAULT_STACK_NAME } from '../../index.ts';
import type { CliContext } from '../cli-context.ts';
import { addTargetOptions, type TargetOptions } from '../options/target-options.ts';
import { rowsView } from '../views/rows-view.ts';

/** Options, by the names that they have in `quarry.config.json`, with what holds where nobody says anything. */
const DEFAULTS: Readonly<Record<string, string | number | null>> = {
  target: 'local',
  directory: '.quarry',
  modelEndpoint: null,
  endpointModel: null,
  endpointApiKeyEnv: null,
  endpointConcurrency: null,
  endpointTimeout: null,
  emulator: null,
  bucket: null,
  bucketOwner: null,
  roleArn: null,
  pollSeconds: DEFAULT_POLL_SECONDS,
  stack: DEFAULT_STACK_NAME,
  region: null,
  profile: null,
  prompts: null,
  notify: null,
  prices: null,
};

/** Variables of the environment that stand for an option, as for any AWS tool. */
const VARIABLES: Readonly<Record<string, readonly string[]>> = {
  region: ['AWS_REGION', 'AWS_DEFAULT_REGION'],
  profile: ['AWS_PROFILE'],
};

interface HeldOption {
  option: string;
  value: string | number | object | null;
  /** The flag, the file, the variable, or `default`. */
  from: string;
}

/** `quarry config`: what holds for runs of this folder, and from where. */
export function addConfigCommand(program: Command, { out }: CliContext): void {
  const command = program
    .command('config')
    .description(
      'Show which options apply here, and whether each comes from a flag, quarry.config.json or a default.',
    )
    .option('--json', 'print as JSON');
  addTargetOptions(command).action((options: TargetOptions & { json?: boolean }) => {
    const held = Object.keys(DEFAULTS).map((option) => heldOption(option, options, command));
    if (options.json) out.write(`${JSON.stringify(held, null, 2)}\n`);
    else
      out.write(
        `${rowsView(
          held.map((row) => ({ ...row })),
          { width: out.columns },
        )}\n`,
      );
  });
}

function heldOption(option: string, options: TargetOptions, command: Command): HeldOption {
  const flag = option === 'directory' ? 'dir' : option;
  if (command.getOptionValueSource(flag) === 'cli') {
    return { option, value: command.getOptionValue(flag), from: `--${flag.replace(/[A-Z]/g, kebab)}` };
  }
  const { config } = options;
  const value = config?.defaults[option as keyof typeof config.defaults];
  if (config !== undefined && value !== undefined && value !== null) {
    return { option, value, from: config.path };
  }
  for (const variable of VARIABLES[option] ?? []) {
    const text = process.env[variable];
    if (text) return { option, value: text, from: variable };
  }
  return { option, value: DEFAULTS[option] ?? null, from: 'default' };
}

function kebab(letter: string): string {
  return `-${letter.toLowerCase()}`;
}
