import { GetServiceQuotaCommand } from '@aws-sdk/client-service-quotas';
import { QUOTA_NAMES, readBatchQuotas } from '../bedrock/batch-quotas.ts';
import { callAws } from '../bedrock/call-aws.ts';
import type { BatchQuotas } from '../core/jobs/quotas.ts';
import { parseModelId } from '../models/catalog/model-id.ts';
import { type Finding, ok, skipped, warning } from './check.ts';
import { foundationModel } from './check-model.ts';
import type { DoctorWorld } from './doctor-world.ts';

/** The model's quotas: runs are packed by them, so that less of them makes runs slower, and none fail. */
export async function checkQuotas(world: DoctorWorld): Promise<Finding> {
  const { modelId, target } = world.options;
  const baseModelId = modelId === undefined ? undefined : parseModelId(modelId).baseModelId;
  if (baseModelId === undefined) return skipped('Not checked: name the model with --model-id.');
  await world.signedIn();
  const { limits } = await world.place();
  const details = await foundationModel(world, baseModelId);
  const modelName = details?.modelName ?? baseModelId;
  const quotas = await readBatchQuotas(world.serviceQuotas, {
    modelName,
    providerName: details?.providerName ?? '',
  });
  if (Object.keys(quotas).length === 0) {
    return warning(
      `Service Quotas knows no batch inference of ${modelName}.`,
      'It may not support batch inference: see the list at https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference-supported.html.',
    );
  }
  const n = (value: number) => value.toLocaleString('en-US');
  const less = lessThan(limits, quotas);
  const told = Object.entries(quotas).map(([key, value]) => `${key} ${n(value)}`);
  const found = `${modelName}: ${told.join(', ')}`;
  if (less.length === 0) return ok(found);
  const asked = less.map((key) => `"${QUOTA_NAMES[key]}"`).join(', ');
  return warning(
    `${found}. That is less than ${target === 'aws' ? 'the stack was deployed with' : 'AWS’s defaults'}; a run is packed by it.`,
    `Nothing needs to be changed. Fewer and smaller jobs take longer: ask for more in Service Quotas (${asked}).`,
  );
}

/** Quotas of an account that allow less than runs are made for without them. */
function lessThan(
  limits: Pick<BatchQuotas, keyof typeof QUOTA_NAMES>,
  { minRecordsPerJob = 0, ...most }: Partial<BatchQuotas>,
): (keyof typeof QUOTA_NAMES)[] {
  return [
    ...(minRecordsPerJob > limits.minRecordsPerJob ? (['minRecordsPerJob'] as const) : []),
    ...(['maxRecordsPerJob', 'maxConcurrentJobs'] as const).filter(
      (key) => (most[key] ?? limits[key]) < limits[key],
    ),
  ];
}

/** "Concurrent executions" of AWS Lambda. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const LAMBDA_CONCURRENCY = 'L-B99A9384';
/** Functions of the stack that should find a place beside others'. */
const SPARE_FUNCTIONS = 2;

/** Whether the account runs as many functions at once as the stack wants. */
export async function checkLambda(world: DoctorWorld): Promise<Finding> {
  const { limits } = await world.place();
  const { prepareConcurrency = 0, maxConcurrentJobs } = limits;
  const { Quota } = await callAws(
    { doing: 'read the quotas of Lambda', action: 'servicequotas:GetServiceQuota' },
    () =>
      world.serviceQuotas.send(
        new GetServiceQuotaCommand({ ServiceCode: 'lambda', QuotaCode: LAMBDA_CONCURRENCY }),
      ),
  );
  const quota = Quota?.Value ?? 0;
  const left = quota - SPARE_FUNCTIONS;
  if (left >= Math.max(prepareConcurrency, maxConcurrentJobs)) {
    return ok(
      `${quota} functions at once; the stack uses up to ${Math.max(prepareConcurrency, maxConcurrentJobs)}.`,
    );
  }
  // A job needs a function when it begins and when it has ended, and no slot of Bedrock's while it waits for one.
  if (left >= prepareConcurrency) {
    return ok(
      `${quota} functions at once, of which Prepare and Merge use ${prepareConcurrency}. Where more than ${left} jobs end together, the others wait for their turn to be collected.`,
    );
  }
  return warning(
    `The account runs ${quota} functions at once; Prepare and Merge alone may want ${prepareConcurrency}. The others are throttled and tried again.`,
    `Ask for more in Service Quotas (Lambda, "Concurrent executions"), or deploy with -c prepareConcurrency=${Math.max(1, Math.floor(quota / 2))}.`,
  );
}
