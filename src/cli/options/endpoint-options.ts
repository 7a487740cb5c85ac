import { type Command, InvalidArgumentError } from 'commander';

/** Options that say which model server answers, and how it is asked. */
export interface EndpointOptions {
  modelEndpoint?: string;
  endpointModel?: string;
  endpointApiKeyEnv?: string;
  endpointConcurrency?: number;
  endpointTimeout?: number;
}

/** Adds those options to a command; `kind` is put before what they say. */
export function addEndpointOptions(command: Command, kind = ''): Command {
  return command
    .option(
      '--model-endpoint <url>',
      `${kind}let an OpenAI-compatible server (http://localhost:11434/v1) answer, not the simulated model`,
    )
    .option('--endpoint-model <name>', `${kind}that server’s name of the model; default: the model id`)
    .option('--endpoint-api-key-env <variable>', `${kind}environment variable that holds its key`)
    .option('--endpoint-concurrency <n>', `${kind}requests that it gets at once; default 4`, toCount)
    .option(
      '--endpoint-timeout <seconds>',
      `${kind}how long it may take for one answer; default 300`,
      toSeconds,
    );
}

function toCount(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text))
    throw new InvalidArgumentError('It must be a whole number from 1 to 9999.');
  return Number(text);
}

function toSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= 86_400)) {
    throw new InvalidArgumentError('It must be a number of seconds above 0, at most 86400.');
  }
  return seconds;
}
