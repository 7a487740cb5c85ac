import { pricedModelOf, type RunPlan, type Variant } from '../../core/plan/run-plan.ts';
import { parseModelId } from '../../models/catalog/model-id.ts';
import type { Asked } from '../../rows/prepare/record-sql.ts';
import type { StepDeps, StepSettings } from '../deps.ts';

/** Who answers where nobody stands in for the model. */
const BEDROCK = 'bedrock';

/** Where those who answer are told apart. */
export type Answering = Pick<StepSettings, 'simulated' | 'modelServer' | 'bedrockEndpoint'>;

/** Whom a variant asks: the model behind a profile, and nobody who only stands in for it. */
export function askedOf({ model }: Pick<Variant, 'model'>, answering: Answering): Asked {
  const priced = pricedModelOf({ model });
  return {
    answerer: answererOf(answering),
    modelId: parseModelId(priced).baseModelId ?? priced,
    invocationType: model.invocation_type,
  };
}

function answererOf({ simulated, modelServer, bedrockEndpoint }: Answering): string {
  if (modelServer !== undefined) return JSON.stringify(['server', modelServer.url, modelServer.model]);
  if (simulated) return 'simulated';
  return bedrockEndpoint === undefined ? BEDROCK : JSON.stringify(['endpoint', bedrockEndpoint]);
}

/** Who answered the rows of a plan. */
export function answeringOf(
  { model_server, bedrock_endpoint }: Pick<RunPlan, 'model_server' | 'bedrock_endpoint'>,
  simulated: boolean,
): Answering {
  return {
    simulated,
    ...(model_server === undefined ? {} : { modelServer: model_server }),
    ...(bedrock_endpoint === undefined ? {} : { bedrockEndpoint: bedrock_endpoint }),
  };
}

/** The folder of the answers of those who are asked. */
export function folderOf(
  asked: Asked,
  { hash }: Pick<StepDeps, 'hash'>,
): { modelId: string; digest: string } {
  const { answerer, modelId, invocationType } = asked;
  return { modelId, digest: hash(JSON.stringify([answerer, modelId, invocationType])) };
}
