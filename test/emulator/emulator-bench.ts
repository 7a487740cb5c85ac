import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BedrockClient,
  CreateModelInvocationJobCommand,
  type CreateModelInvocationJobCommandInput,
  GetModelInvocationJobCommand,
} from '@aws-sdk/client-bedrock';
import { BedrockRuntimeClient } from '@aws-sdk/client-bedrock-runtime';
import { type Clock, createVirtualClock } from '../../src/core/clock.ts';
import type { S3Uri } from '../../src/core/s3-uri.ts';
import { type Emulator, type EmulatorOptions, startEmulator } from '../../src/emulator/server.ts';
import { createDirectoryStore } from '../../src/store/directory-store.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';

export const ROLE_ARN = 'arn:aws:iam::123456789012:role/batch';
export const NOVA = 'us.amazon.nova-micro-v1:0';
export const CLAUDE = 'us.anthropic.claude-haiku-4-5-20251001-v1:0';

/** An emulator over a temporary directory, and SDK clients that talk to it. */
export interface Bench extends AsyncDisposable {
  directory: string;
  store: ObjectStore;
  clock: Clock;
  emulator: Emulator;
  bedrock: BedrockClient;
  runtime: BedrockRuntimeClient;
  /** Closes the emulator, and starts another over the same directories. */
  restart(options?: Partial<EmulatorOptions>): Promise<void>;
  create(input?: Partial<CreateModelInvocationJobCommandInput>): Promise<string>;
  get(jobArn: string): ReturnType<typeof getJob>;
  /** Sleeps on the clock until the job is at its end, and returns it. */
  end(jobArn: string): ReturnType<typeof getJob>;
  /** The parsed lines of an output file. */
  output(jobArn: string, name?: string): Promise<OutputLine[]>;
  manifest(jobArn: string): Promise<Record<string, number>>;
}

export interface OutputLine {
  recordId: string;
  modelInput: Record<string, unknown>;
  modelOutput?: Record<string, unknown>;
  error?: { errorCode: number; errorMessage: string };
}

const TERMINAL = ['Completed', 'PartiallyCompleted', 'Failed', 'Stopped', 'Expired'];

export async function openBench(options: Partial<EmulatorOptions> = {}): Promise<Bench> {
  const directory = await mkdtemp(join(tmpdir(), 'emulator-'));
  const store = createDirectoryStore(join(directory, 'objects'));
  const clock = options.clock ?? createVirtualClock();
  const start = (more: Partial<EmulatorOptions> = {}) =>
    startEmulator({
      store,
      clock,
      stateDirectory: join(directory, 'state'),
      accountId: '123456789012',
      ...options,
      ...more,
    });
  let emulator = await start();
  let clients = connect(emulator);

  const bench: Bench = {
    directory,
    store,
    clock,
    get emulator() {
      return emulator;
    },
    get bedrock() {
      return clients.bedrock;
    },
    get runtime() {
      return clients.runtime;
    },
    restart: (more) =>
      clock.busy(async () => {
        await emulator.close();
        emulator = await start(more);
        clients = connect(emulator);
      }),
    create: async (input) => {
      const { jobArn = '' } = await clock.busy(() =>
        clients.bedrock.send(
          new CreateModelInvocationJobCommand({
            jobName: 'job-1',
            roleArn: ROLE_ARN,
            modelId: NOVA,
            inputDataConfig: { s3InputDataConfig: { s3Uri: 's3://data-bucket/in/records.jsonl' } },
            outputDataConfig: { s3OutputDataConfig: { s3Uri: 's3://data-bucket/out/' } },
            ...input,
          }),
        ),
      );
      return jobArn;
    },
    get: (jobArn) => clock.busy(() => getJob(clients.bedrock, jobArn)),
    end: async (jobArn) => {
      for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 1.5, 600_000)) {
        const job = await bench.get(jobArn);
        if (TERMINAL.includes(job.status ?? '')) return job;
        await clock.sleep(pauseMs);
      }
    },
    output: async (jobArn, name = 'records.jsonl.out') => {
      const bytes = await store.read(`s3://data-bucket/out/${jobArn.slice(-12)}/${name}`);
      return Buffer.from(bytes)
        .toString()
        .split('\n')
        .filter((line) => line !== '')
        .map((line): OutputLine => JSON.parse(line));
    },
    manifest: async (jobArn) =>
      JSON.parse(
        Buffer.from(
          await store.read(`s3://data-bucket/out/${jobArn.slice(-12)}/manifest.json.out`),
        ).toString(),
      ),
    [Symbol.asyncDispose]: async () => {
      await emulator.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
  return bench;
}

function connect({ url }: Emulator) {
  const config = {
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'dummy', secretAccessKey: 'dummy' },
    maxAttempts: 1,
  };
  return { bedrock: new BedrockClient(config), runtime: new BedrockRuntimeClient(config) };
}

function getJob(bedrock: BedrockClient, jobArn: string) {
  return bedrock.send(new GetModelInvocationJobCommand({ jobIdentifier: jobArn }));
}

/** JSONL of records for Nova. */
export function novaRecords(count: number, toPrompt = (index: number) => `Question ${index}`): string {
  return toJsonl(
    Array.from({ length: count }, (_, index) => ({
      recordId: `r${String(index).padStart(6, '0')}`,
      modelInput: novaInput(toPrompt(index)),
    })),
  );
}

export function novaInput(prompt: string): object {
  return { messages: [{ role: 'user', content: [{ text: prompt }] }], inferenceConfig: { maxTokens: 200 } };
}

export function toJsonl(records: unknown[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join('');
}

export const INPUT: S3Uri = 's3://data-bucket/in/records.jsonl';
