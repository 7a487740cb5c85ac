import { expect } from 'vitest';
import { jsonError } from '../support/aws-double.ts';
import { availability, foundationModel, GIVEN, MODEL, QUOTAS, quotas, testFaults } from './doctor-double.ts';

testFaults([
  [
    'no such inference profile',
    'Model',
    { 'GET /inference-profiles/*': jsonError('ResourceNotFoundException', 'No.', 404) },
    {
      status: 'failed',
      found: `There is no inference profile ${MODEL} in us-east-1.`,
      advice:
        'Check its spelling and the region: profiles of a geography (us., eu., …) are in that geography only.',
    },
  ],
  [
    'no such model',
    'Model',
    { 'GET /foundation-models/*': jsonError('ResourceNotFoundException', 'No.', 404) },
    {
      status: 'failed',
      found: 'There is no model anthropic.claude-haiku-4-5-20251001-v1:0 in us-east-1.',
      advice:
        'Check its spelling and the region; some models are reached by an inference profile only (us.…, global.…).',
    },
  ],
  [
    'a model without access',
    'Model',
    {
      'GET /foundation-model-availability/*': availability({
        agreementAvailability: { status: 'NOT_AVAILABLE' },
        authorizationStatus: 'NOT_AUTHORIZED',
        entitlementAvailability: 'NOT_AVAILABLE',
        regionAvailability: 'NOT_AVAILABLE',
      }),
    },
    {
      status: 'failed',
      found:
        'anthropic.claude-haiku-4-5-20251001-v1:0 cannot be used in us-east-1: it is not available in this region, its agreement is not available, the account is not entitled to it, the account is not authorized for it.',
      advice:
        'Let an administrator invoke the model once in this account and region: the first call subscribes to it; Anthropic’s models require a form to be submitted first.',
    },
  ],
  [
    'a model of yesterday',
    'Model',
    {
      'GET /foundation-models/*': foundationModel({
        modelLifecycle: { status: 'LEGACY', endOfLifeTime: '2026-12-31T00:00:00Z' },
      }),
    },
    {
      status: 'warning',
      found: 'anthropic.claude-haiku-4-5-20251001-v1:0 is a legacy model, until 2026-12-31.',
      advice: 'Choose a newer one for anything that you will run again.',
    },
  ],
  [
    'what is no model id',
    'Model',
    {},
    { status: 'failed', found: expect.stringContaining('model_id "claude" is not a Bedrock model id.') },
    { modelId: 'claude' },
  ],
  [
    'a model without a quota for batch inference',
    'Quotas',
    { ListServiceQuotas: quotas({}) },
    {
      status: 'warning',
      found: 'Service Quotas knows no batch inference of Claude Haiku 4.5.',
      advice: expect.stringContaining('It may not support batch inference'),
    },
  ],
  [
    'a quota of smaller jobs',
    'Quotas',
    {
      ListServiceQuotas: quotas({
        ...QUOTAS,
        'Records per batch inference job for Claude Haiku 4.5': 10_000,
      }),
    },
    {
      status: 'warning',
      found:
        'Claude Haiku 4.5: minRecordsPerJob 100, maxRecordsPerJob 10,000, maxConcurrentJobs 100. That is less than the stack was deployed with; a run is packed by it.',
      advice:
        'Nothing needs to be changed. Fewer and smaller jobs take longer: ask for more in Service Quotas ("Records per batch inference job").',
    },
  ],
  [
    'a quota of larger jobs',
    'Quotas',
    {
      ListServiceQuotas: quotas({
        ...QUOTAS,
        'Minimum number of records per batch inference job for Claude Haiku 4.5': 1000,
      }),
    },
    {
      status: 'warning',
      found:
        'Claude Haiku 4.5: minRecordsPerJob 1,000, maxRecordsPerJob 100,000, maxConcurrentJobs 100. That is less than AWS’s defaults; a run is packed by it.',
      advice: expect.stringContaining('"Minimum number of records per batch inference job"'),
    },
    GIVEN,
  ],
  [
    'a quota of fewer jobs',
    'Quotas',
    {
      ListServiceQuotas: quotas({
        'Sum of in-progress and submitted batch inference jobs using a base model for Anthropic Claude Haiku 4.5': 5,
      }),
    },
    {
      status: 'warning',
      found:
        'Claude Haiku 4.5: maxConcurrentJobs 5. That is less than the stack was deployed with; a run is packed by it.',
      advice:
        'Nothing needs to be changed. Fewer and smaller jobs take longer: ask for more in Service Quotas ("Sum of in-progress and submitted batch inference jobs using a base model").',
    },
  ],
  [
    'quotas that may not be read',
    'Quotas',
    { ListServiceQuotas: jsonError('AccessDeniedException', 'No.', 403) },
    {
      status: 'skipped',
      found: 'Could not read the quotas of Bedrock: No. Allow servicequotas:ListServiceQuotas.',
    },
  ],
]);
