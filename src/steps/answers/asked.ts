import { pricedModelOf, type Variant } from '../../core/plan/run-plan.ts';
import { parseModelId } from '../../models/catalog/model-id.ts';
import type { Asked } from '../../rows/prepare/record-sql.ts';
import type { StepDeps, StepSettings } from '../deps.ts';

/** Who answers where nobody stands in for the model. */
const BEDROCK = 'bedrock';

/** Whom a variant asks: the model behind a profile, and nobody who only stands in for it. */
export function askedOf(
  { model }: Pick<Variant, 'model'>,
  { simulated, modelServer }: Pick<StepSettings, 'simulated' | 'modelServer'>,
): Asked {
  const priced = pricedModelOf({ model });
  return {
    answerer:
      modelServer === undefined
        ? simulated
          ? 'simulated'
          : BEDROCK
        : JSON.stringify(['server', modelServer.url, modelServer.model]),
    modelId: parseModelId(priced).baseModelId ?? priced,
    invocationType: model.invocation_type,
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
