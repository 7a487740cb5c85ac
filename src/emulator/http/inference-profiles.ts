import { factsOf } from '../../models/catalog/model-catalog.ts';
import { splitProfile } from '../../models/catalog/model-id.ts';
import type { AccountLocation } from '../models/model-catalog.ts';
import { ServiceError } from './service-error.ts';

/** When every profile of the emulator was made. */
const MADE_AT = '2026-01-01T00:00:00Z';

/**
 * The answer of GetInferenceProfile: of the account's application profiles by id or ARN, and of the catalogue's profiles of
 * a geography. The real ones name the model in each region that they lead to; these in the emulator's own.
 */
export function describeProfile(identifier: string, account: AccountLocation): Record<string, unknown> {
  const { accountId, region, applicationProfiles } = account;
  const arn = /^arn:aws[a-z-]*:bedrock:([a-z0-9-]*):(\d{12}):(?:application-)?inference-profile\/(.+)$/.exec(
    identifier,
  );
  const id = arn?.[3] ?? identifier;
  const isOurs = arn === null || (arn[1] === region && arn[2] === accountId);
  const base = Object.hasOwn(applicationProfiles, id) ? applicationProfiles[id] : undefined;
  const { prefix, rest } = splitProfile(id);
  const facts = prefix === undefined ? undefined : factsOf(rest);
  const isGeographic =
    facts?.batch.kind === 'yes' && facts.id === rest && facts.batch.profiles.includes(prefix ?? '');
  if (!isOurs || (base === undefined && !isGeographic)) {
    throw new ServiceError(
      'ResourceNotFoundException',
      `Could not find the inference profile ${identifier}.`,
    );
  }
  const kind = base === undefined ? 'inference-profile' : 'application-inference-profile';
  return {
    inferenceProfileName: base === undefined ? `${prefix?.toUpperCase()} ${facts?.name}` : id,
    inferenceProfileId: id,
    inferenceProfileArn: `arn:aws:bedrock:${region}:${accountId}:${kind}/${id}`,
    models: [{ modelArn: `arn:aws:bedrock:${region}::foundation-model/${base ?? rest}` }],
    status: 'ACTIVE',
    type: base === undefined ? 'SYSTEM_DEFINED' : 'APPLICATION',
    createdAt: MADE_AT,
    updatedAt: MADE_AT,
  };
}
