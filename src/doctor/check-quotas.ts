import { GetServiceQuotaCommand } from '@aws-sdk/client-service-quotas';
import { QUOTA_NAMES, readBatchQuotas } from '../bedrock/batch-quotas.ts';
import { callAws } from '../bedrock/call-aws.ts';
import { parseModelId } from '../models/catalog/model-id.ts';
import { type Finding, failed, ok, skipped, warning } from './check.ts';
import { foundationModel } from './check-model.ts';
import type { DoctorWorld } from './doctor-world.ts';

/** Whether the model's quotas let jobs be as large, and as many, as Quarry makes them. */
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
  const { minRecordsPerJob, maxRecordsPerJob, maxConcurrentJobs } = quotas;
  const change = (key: string, value: number) =>
    target === 'aws'
      ? `deploy with -c ${key}=${value}`
      : `give max_records_per_job: ${value} in the run input`;
  if (maxRecordsPerJob !== undefined && maxRecordsPerJob < limits.maxRecordsPerJob) {
    return failed(
      `A job of ${modelName} may have ${n(maxRecordsPerJob)} records; Quarry makes jobs of up to ${n(limits.maxRecordsPerJob)}.`,
      `To fit, ${change('maxRecordsPerJob', maxRecordsPerJob)}; or ask for more in Service Quotas ("${QUOTA_NAMES.maxRecordsPerJob}").`,
    );
  }
  if (minRecordsPerJob !== undefined && minRecordsPerJob > limits.minRecordsPerJob) {
    return failed(
      `A job of ${modelName} must have ${n(minRecordsPerJob)} records; Quarry makes jobs from ${n(limits.minRecordsPerJob)}.`,
      target === 'aws'
        ? `Fewer are run on demand then: deploy with -c minRecordsPerJob=${minRecordsPerJob}.`
        : `Run datasets of at least ${n(minRecordsPerJob)} rows, or use the stack with -c minRecordsPerJob=${minRecordsPerJob}.`,
    );
  }
  if (maxConcurrentJobs !== undefined && maxConcurrentJobs < limits.maxConcurrentJobs) {
    return warning(
      `${n(maxConcurrentJobs)} jobs of ${modelName} may run at once; Quarry sends up to ${n(limits.maxConcurrentJobs)}. The others wait their turn.`,
      `Ask for more in Service Quotas ("${QUOTA_NAMES.maxConcurrentJobs}")${target === 'aws' ? `, or deploy with -c maxConcurrentJobs=${maxConcurrentJobs}` : ''}.`,
    );
  }
  const told = Object.entries(quotas).map(([key, value]) => `${key} ${n(value)}`);
  return ok(`${modelName}: ${told.join(', ')}`);
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
