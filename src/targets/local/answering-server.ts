import { z } from 'zod';
import { InvalidRunInputError, ServiceUnavailableError } from '../../core/errors.ts';
import type { AnsweringServer } from '../../core/plan/run-plan.ts';
import {
  encodeModelServer,
  type KeyedModelServer,
  MODEL_SERVER_HEADER,
} from '../../emulator/models/model-server.ts';

/** Milliseconds that an emulator has to say who answers. */
const DEADLINE_MS = 30_000;

const Description = z.object({
  model_server: z.object({ url: z.string(), model: z.string().nullable() }).nullable(),
});

/** The server that answers at the emulator, which may have one of its own; null for the simulated model. */
export async function whoAnswers(
  url: string,
  modelServer: KeyedModelServer | undefined,
): Promise<AnsweringServer | null> {
  const headers = modelServer === undefined ? {} : { [MODEL_SERVER_HEADER]: encodeModelServer(modelServer) };
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const response = await fetch(`${url}/_emulator`, { headers, signal }).catch((error: Error) => {
    throw new ServiceUnavailableError(`There is no Bedrock emulator at ${url}. Start one: quarry emulate`, {
      cause: error,
    });
  });
  const description = Description.safeParse(await response.json().catch(() => undefined));
  if (description.success) return description.data.model_server;
  throw new InvalidRunInputError(
    `What answers at ${url} is not a Bedrock emulator of this version of Quarry. Stop it and start one: quarry emulate`,
  );
}
