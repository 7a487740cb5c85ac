import { BEDROCK_S3_URI_PATTERN, type S3Uri } from '../../core/s3-uri.ts';
import { Constraints, type StringRule } from './constraints.ts';
import { validationError } from './service-error.ts';

/** A tag of a job. */
export interface Tag {
  key: string;
  value: string;
}

/** A CreateModelInvocationJob request that fulfils every constraint of the service's model. */
export interface CreateRequest {
  jobName: string;
  roleArn: string;
  modelId: string;
  clientRequestToken: string | undefined;
  inputDataConfig: { s3InputDataConfig: { s3Uri: S3Uri; s3InputFormat?: string; s3BucketOwner?: string } };
  outputDataConfig: {
    s3OutputDataConfig: { s3Uri: S3Uri; s3EncryptionKeyId?: string; s3BucketOwner?: string };
  };
  modelInvocationType: 'InvokeModel' | 'Converse' | undefined;
  timeoutDurationInHours: number | undefined;
  vpcConfig: { subnetIds: string[]; securityGroupIds: string[] } | undefined;
  tags: Tag[];
}

/**
 * Equal to `[a-zA-Z0-9]{1,63}(-*[a-zA-Z0-9\+\-\.]){0,63}` within 63 characters, without its exponential backtracking.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateModelInvocationJob.html
 */
export const JOB_NAME_RULE: StringRule = {
  min: 1,
  max: 63,
  pattern: /^[a-zA-Z0-9][a-zA-Z0-9+.-]*$/,
  patternText: '[a-zA-Z0-9]{1,63}(-*[a-zA-Z0-9\\+\\-\\.]){0,63}',
};
const TOKEN_RULE: StringRule = {
  min: 1,
  max: 256,
  pattern: /^[a-zA-Z0-9](?:-*[a-zA-Z0-9])*$/,
  patternText: '[a-zA-Z0-9]{1,256}(-*[a-zA-Z0-9]){0,256}',
};
const ROLE_RULE: StringRule = { max: 2048, pattern: /^arn:aws(-[^:]+)?:iam::([0-9]{12})?:role\/.+$/ };
const MODEL_ID_RULE: StringRule = {
  min: 1,
  max: 2048,
  pattern:
    /^(?:(arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:(([0-9]{12}:custom-model\/[a-z0-9-]{1,63}[.]{1}[a-z0-9-:]{1,63}\/[a-z0-9]{12}$)|(:foundation-model\/([a-z0-9-]{1,63}[.]{1}[a-z0-9-]{1,63}([.]?[a-z0-9-]{1,63})([:][a-z0-9-]{1,63}){0,2})|(([0-9a-zA-Z][_-]?)+)$)|([0-9]{12}:(inference-profile|application-inference-profile)\/[a-zA-Z0-9-:.]+$)))|([a-z0-9-]{1,63}[.]{1}[a-z0-9-]{1,63}([.]?[a-z0-9-]{1,63})([:][a-z0-9-]{1,63}){0,2})|(([0-9a-zA-Z][_-]?)+))$/,
};
/** Bedrock's pattern, without the names "." and "..", which are no keys of a directory and would leave the bucket. */
const S3_URI_RULE: StringRule = {
  min: 1,
  max: 1024,
  pattern: new RegExp(`^(?!.*/\\.{1,2}(?:/|$))${BEDROCK_S3_URI_PATTERN.source.slice(1)}`),
  patternText: BEDROCK_S3_URI_PATTERN.source,
};
const ACCOUNT_RULE: StringRule = { pattern: /^[0-9]{12}$/ };
const KMS_KEY_RULE: StringRule = {
  min: 1,
  max: 2048,
  pattern:
    /^(?:(arn:aws(-[^:]+)?:kms:[a-zA-Z0-9-]*:[0-9]{12}:((key\/[a-zA-Z0-9-]{36})|(alias\/[a-zA-Z0-9-_/]+)))|([a-zA-Z0-9-]{36})|(alias\/[a-zA-Z0-9-_/]+))$/,
};
const VPC_ID_RULE: StringRule = { max: 32, pattern: /^[-0-9a-zA-Z]+$/ };
const TAG_CHARACTERS = /^[a-zA-Z0-9\s._:/=+@-]*$/;
const TAG_KEY_RULE: StringRule = { min: 1, max: 128, pattern: TAG_CHARACTERS };
const TAG_VALUE_RULE: StringRule = { max: 256, pattern: TAG_CHARACTERS };

/** Reads the body of CreateModelInvocationJob; throws one ValidationException that tells all that is wrong. */
export function readCreateRequest(body: Record<string, unknown>): CreateRequest {
  const constraints = new Constraints();
  const input = readMember(constraints, { body, union: 'inputDataConfig', member: 's3InputDataConfig' });
  const output = readMember(constraints, { body, union: 'outputDataConfig', member: 's3OutputDataConfig' });
  const inputPath = 'inputDataConfig.s3InputDataConfig';
  const outputPath = 'outputDataConfig.s3OutputDataConfig';
  const request: CreateRequest = {
    jobName: constraints.string('jobName', body.jobName, JOB_NAME_RULE),
    roleArn: constraints.string('roleArn', body.roleArn, ROLE_RULE),
    modelId: constraints.string('modelId', body.modelId, MODEL_ID_RULE),
    clientRequestToken: constraints.optionalString('clientRequestToken', body.clientRequestToken, TOKEN_RULE),
    inputDataConfig: {
      s3InputDataConfig: {
        s3Uri: constraints.string(`${inputPath}.s3Uri`, input.s3Uri, S3_URI_RULE) as S3Uri,
        ...present(
          's3InputFormat',
          constraints.optionalString(`${inputPath}.s3InputFormat`, input.s3InputFormat, {
            values: ['JSONL'],
          }),
        ),
        ...present(
          's3BucketOwner',
          constraints.optionalString(`${inputPath}.s3BucketOwner`, input.s3BucketOwner, ACCOUNT_RULE),
        ),
      },
    },
    outputDataConfig: {
      s3OutputDataConfig: {
        s3Uri: constraints.string(`${outputPath}.s3Uri`, output.s3Uri, S3_URI_RULE) as S3Uri,
        ...present(
          's3EncryptionKeyId',
          constraints.optionalString(
            `${outputPath}.s3EncryptionKeyId`,
            output.s3EncryptionKeyId,
            KMS_KEY_RULE,
          ),
        ),
        ...present(
          's3BucketOwner',
          constraints.optionalString(`${outputPath}.s3BucketOwner`, output.s3BucketOwner, ACCOUNT_RULE),
        ),
      },
    },
    modelInvocationType: constraints.optionalString('modelInvocationType', body.modelInvocationType, {
      values: ['InvokeModel', 'Converse'],
    }) as CreateRequest['modelInvocationType'],
    timeoutDurationInHours: constraints.optionalInteger(
      'timeoutDurationInHours',
      body.timeoutDurationInHours,
      {
        min: 24,
        max: 168,
      },
    ),
    vpcConfig: readVpcConfig(constraints, body.vpcConfig),
    tags: readTags(constraints, body.tags) ?? [],
  };
  constraints.check();
  return request;
}

/** Reads a list of tags; the same key twice is refused. */
export function readTags(constraints: Constraints, value: unknown): Tag[] | undefined {
  const tags = constraints.optionalList('tags', value, {
    min: 0,
    max: 200,
    read: (item, path) => {
      const tag = constraints.object(path, item);
      return {
        key: constraints.string(`${path}.key`, tag.key, TAG_KEY_RULE),
        value: constraints.string(`${path}.value`, tag.value, TAG_VALUE_RULE),
      };
    },
  });
  if (tags !== undefined && new Set(tags.map(({ key }) => key)).size < tags.length) {
    throw validationError('Duplicate tag keys found. Please make sure that each tag key is unique.');
  }
  return tags;
}

/** Reads a list of tag keys. */
export function readTagKeys(constraints: Constraints, value: unknown): string[] {
  return (
    constraints.optionalList('tagKeys', value, {
      min: 0,
      max: 200,
      read: (item, path) => constraints.string(path, item, TAG_KEY_RULE),
    }) ?? []
  );
}

function readMember(
  constraints: Constraints,
  { body, union, member }: { body: Record<string, unknown>; union: string; member: string },
): Record<string, unknown> {
  const outer = constraints.object(union, body[union]);
  return body[union] === undefined ? {} : constraints.object(`${union}.${member}`, outer[member]);
}

function readVpcConfig(constraints: Constraints, value: unknown): CreateRequest['vpcConfig'] {
  if (value === undefined || value === null) return undefined;
  const vpc = constraints.object('vpcConfig', value);
  const ids = (name: string, max: number) =>
    constraints.optionalList(`vpcConfig.${name}`, vpc[name] ?? [], {
      min: 1,
      max,
      read: (item, path) => constraints.string(path, item, VPC_ID_RULE),
    }) ?? [];
  return { subnetIds: ids('subnetIds', 16), securityGroupIds: ids('securityGroupIds', 5) };
}

function present<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [key]: value } as Partial<Record<K, V>>);
}
