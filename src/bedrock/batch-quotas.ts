import {
  ListServiceQuotasCommand,
  type ListServiceQuotasResponse,
  type ServiceQuotasClient,
} from '@aws-sdk/client-service-quotas';
import type { BatchQuotas } from '../core/jobs/quotas.ts';
import { callAws } from './call-aws.ts';

/** Names of the quotas, before ` for <model>`. https://docs.aws.amazon.com/general/latest/gr/bedrock.html */
export const QUOTA_NAMES = {
  minRecordsPerJob: 'Minimum number of records per batch inference job',
  maxRecordsPerJob: 'Records per batch inference job',
  maxConcurrentJobs: 'Sum of in-progress and submitted batch inference jobs using a base model',
} as const satisfies Partial<Record<keyof BatchQuotas, string>>;

/** An account's quotas of one model; what Service Quotas does not have is absent. */
export type ModelQuotas = Partial<Record<keyof typeof QUOTA_NAMES, number>>;

/** What a quota's name may have before and after the model's own. */
const ENDINGS = ['', ' V1', ' V1.0', ' Instruct'];

/**
 * The account's batch inference quotas of one model, which Service Quotas knows by its name only: with or without the
 * provider's. Throws AccessDeniedError and its like where they cannot be read.
 */
export async function readBatchQuotas(
  client: ServiceQuotasClient,
  { modelName, providerName }: { modelName: string; providerName: string },
): Promise<ModelQuotas> {
  const names = new Set(
    [modelName, `${providerName}${modelName}`].flatMap((name) =>
      ENDINGS.map((ending) => plain(`${name}${ending}`)),
    ),
  );
  const quotas: ModelQuotas = {};
  let NextToken: string | undefined;
  do {
    const page: ListServiceQuotasResponse = await callAws(
      { doing: 'read the quotas of Bedrock', action: 'servicequotas:ListServiceQuotas' },
      () => client.send(new ListServiceQuotasCommand({ ServiceCode: 'bedrock', MaxResults: 100, NextToken })),
    );
    for (const { QuotaName = '', Value } of page.Quotas ?? []) {
      const [, what, model = ''] = /^(.*?) for (.*)$/.exec(QuotaName) ?? [];
      const key = Object.entries(QUOTA_NAMES).find(([, name]) => name === what)?.[0];
      if (key === undefined || Value === undefined || !names.has(plain(model))) continue;
      quotas[key as keyof ModelQuotas] = Value;
    }
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  return quotas;
}

/** Letters and digits: the same model is spelt in several ways. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}
