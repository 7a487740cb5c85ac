import { join } from 'node:path';
import { BedrockClient } from '@aws-sdk/client-bedrock';
import { BedrockRuntimeClient } from '@aws-sdk/client-bedrock-runtime';
import { onTestFinished } from 'vitest';
import { createAwsBedrock } from '../../src/bedrock/aws-bedrock.ts';
import type { Bedrock } from '../../src/bedrock/bedrock.ts';
import { createVirtualClock } from '../../src/core/clock.ts';
import { type EmulatorOptions, startEmulator } from '../../src/emulator/server.ts';
import { createDirectoryStore } from '../../src/store/directory-store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** The real clients, talking over HTTP to an emulator that ends with the test. */
export async function openEmulatedBedrock(
  options: Partial<EmulatorOptions> = {},
): Promise<{ bedrock: Bedrock; control: BedrockClient }> {
  const directory = await temporaryDirectory();
  const emulator = await startEmulator({
    store: createDirectoryStore(directory),
    stateDirectory: join(directory, '.emulator'),
    clock: createVirtualClock(),
    ...options,
  });
  const client = {
    endpoint: emulator.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
  };
  const control = new BedrockClient(client);
  const runtime = new BedrockRuntimeClient(client);
  onTestFinished(async () => {
    control.destroy();
    runtime.destroy();
    await emulator.close();
  });
  return { bedrock: createAwsBedrock({ control, runtime }), control };
}
