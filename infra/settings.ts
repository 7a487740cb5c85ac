import { z } from 'zod';
import { batchModelPatterns } from '../src/models/catalog/model-catalog.ts';
import { MAX_MODEL_ARN_CHARACTERS, modelArnCharacters } from './model-arns.ts';

/** A list in cdk.json, or names with commas between them on the command line. */
function listOf<T extends z.ZodType>(item: T) {
  return z.preprocess(
    (value) => (typeof value === 'string' ? value.split(',').map((name) => name.trim()) : value),
    z.array(item),
  );
}

/** A whole number, which the command line gives as text. */
function whole(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`;
  return z.preprocess(
    (value) => (typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value),
    z.int({ error }).min(min, { error }).max(max, { error }),
  );
}

/** Yes or no, which the command line gives as text. */
const YesOrNo = z.preprocess(
  (value) => (value === 'true' ? true : value === 'false' ? false : value),
  z.boolean({ error: 'must be true or false' }),
);

/** Days that CloudWatch Logs can keep. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html */
const LOG_RETENTION_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653];

/** Every model that has batch inference. */
export const DEFAULT_ALLOWED_MODELS = batchModelPatterns();

const ModelPattern = z
  .string()
  .regex(
    /^(?:arn:aws[a-z-]*:bedrock:[a-z0-9*-]*:\d*:[a-z-]+\/.+|[a-z][a-z0-9.*:_-]*\.[a-zA-Z0-9.*:_-]+)$/,
    'must be a model id (anthropic.claude-3-haiku-20240307-v1:0), a pattern (amazon.nova-*), an inference profile (us.anthropic.…) or an ARN',
  );

const KeyArn = z
  .string()
  .regex(
    /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/,
    'must be the ARN of a KMS key, not of an alias',
  );

/** Every context key, with its default. */
const SettingsSchema = z.object({
  /** Jobs of one run at once; the account's quota is per model and region. */
  maxConcurrentJobs: whole(1, 1000).default(100),
  /** Prepare steps at once; a new account runs 10 functions at once in all. */
  prepareConcurrency: whole(1, 1000).default(10),
  /** Seconds between two looks at a job in its first day; less often afterwards, so that 25,000 events last seven days. */
  pollSeconds: whole(60, 3600).default(300),
  /** Rows that one Prepare takes at most. */
  rowsPerSlice: whole(1000, 100_000_000).default(1_000_000),
  /** Fewest records in a job. https://docs.aws.amazon.com/bedrock/latest/userguide/quotas.html */
  minRecordsPerJob: whole(1, 1_000_000).default(100),
  /** Most records in a job. */
  maxRecordsPerJob: whole(1, 10_000_000).default(100_000),
  /** Days after which prepared parts and raw model output are deleted; results are kept. */
  workingFilesDays: whole(8, 3650).default(30),
  logRetentionDays: whole(1, 3653)
    .refine((days) => LOG_RETENTION_DAYS.includes(days), {
      error: `must be one of ${LOG_RETENTION_DAYS.join(', ')}`,
    })
    .default(30),
  /** Models that jobs may use. */
  allowedModels: listOf(ModelPattern)
    .pipe(z.array(z.string()).min(1, 'must name a model'))
    .default(DEFAULT_ALLOWED_MODELS),
  /** Models that the alarm for stuck jobs looks at. */
  watchedModels: listOf(z.string().regex(/^[a-z][a-zA-Z0-9.:_-]+$/, 'must be an exact model id'))
    .pipe(z.array(z.string()).max(5, 'an alarm can look at five models at most'))
    .default([]),
  /** Buckets that datasets may be read from: `bucket`, or `bucket=account` for another account's. */
  inputBuckets: listOf(
    z.string().regex(/^[a-z0-9][-.a-z0-9]{1,61}[a-z0-9](?:=\d{12})?$/, 'must be bucket or bucket=account'),
  ).default([]),
  /** Key that the bucket is encrypted with, instead of S3's own. */
  kmsKeyArn: KeyArn.optional(),
  /** Keys of others that input buckets, or the Hugging Face secret, are encrypted with. */
  inputKeyArns: listOf(KeyArn).default([]),
  /** Network of the jobs. */
  jobSubnetIds: listOf(z.string().regex(/^subnet-[0-9a-f]+$/, 'must be subnet ids'))
    .pipe(z.array(z.string()).max(16, 'Bedrock takes 16 subnets at most'))
    .default([]),
  jobSecurityGroupIds: listOf(z.string().regex(/^sg-[0-9a-f]+$/, 'must be security group ids'))
    .pipe(z.array(z.string()).max(5, 'Bedrock takes 5 security groups at most'))
    .default([]),
  /** Secret whose text is a Hugging Face token, for gated datasets. */
  huggingFaceTokenSecretArn: z
    .string()
    .regex(/^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:.+/, 'must be the ARN of a secret')
    .optional(),
  /** Told when a run ends and when an alarm goes off. */
  email: z.email({ error: 'must be an e-mail address' }).optional(),
  /** Deletes the bucket, results included, with the stack. */
  destroyBucket: YesOrNo.default(false),
});

/** The stack's settings, as they were parsed. */
export type Settings = z.output<typeof SettingsSchema>;

/** Every context key that the stack knows. */
export const SETTING_KEYS = Object.keys(SettingsSchema.shape);

/** Parses the app's context; the error lists every key that is wrong, and keys that look like a misspelt one. */
export function parseSettings(context: Readonly<Record<string, unknown>>): Settings {
  const known = Object.fromEntries(
    SETTING_KEYS.flatMap((key) => (context[key] === undefined ? [] : [[key, context[key]]])),
  );
  const result = SettingsSchema.superRefine((settings, { addIssue }) => {
    const refuse = (key: string, message: string) => addIssue({ code: 'custom', path: [key], message });
    if ((settings.jobSubnetIds.length === 0) !== (settings.jobSecurityGroupIds.length === 0)) {
      refuse('jobSubnetIds', 'and jobSecurityGroupIds are given together or not at all');
    }
    if (modelArnCharacters(settings.allowedModels) > MAX_MODEL_ARN_CHARACTERS) {
      refuse(
        'allowedModels',
        `names more models than the policy of a role has room for; use patterns, such as ${patternsOf(settings.allowedModels)}`,
      );
    }
    if (settings.minRecordsPerJob > settings.maxRecordsPerJob) {
      refuse('minRecordsPerJob', 'is greater than maxRecordsPerJob');
    }
  }).safeParse(known);
  const faults = [
    ...(result.error?.issues.map(
      ({ path, message }) => `${path[0]?.toString()}${textOf(context[String(path[0])])}: ${message}`,
    ) ?? []),
    ...misspeltKeys(context),
  ];
  if (result.success && faults.length === 0) return result.data;
  throw new Error(
    `The context (cdk.json, or -c key=value) is not valid.\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
  );
}

/** The providers of these models, as patterns. */
function patternsOf(models: readonly string[]): string {
  const providers = models.map(
    (model) => /(?:^|\.)([a-z0-9-]+)\.[^.]*[a-z][^.]*(?:\.\d[^.]*)*$/.exec(model)?.[1] ?? 'anthropic',
  );
  return [...new Set(providers)]
    .slice(0, 3)
    .map((provider) => `${provider}.*`)
    .join(', ');
}

function textOf(value: unknown): string {
  return value === undefined ? '' : ` = ${JSON.stringify(value)}`;
}

/** Context is open to everybody, so only keys that differ from ours in case or in punctuation, or a little, are faults. */
function misspeltKeys(context: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(context).flatMap((key) => {
    if (key.includes(':') || key.includes('/') || SETTING_KEYS.includes(key)) return [];
    const meant = SETTING_KEYS.find((known) => isNear(key.toLowerCase(), known.toLowerCase()));
    return meant === undefined ? [] : [`${key}: is unknown. Did you mean ${meant}?`];
  });
}

/** True where one letter was added, left out or changed, or `-` or `_` put in. */
function isNear(given: string, known: string): boolean {
  const plain = given.replace(/[-_]/g, '');
  if (plain === known) return true;
  const [short, long] = plain.length < known.length ? [plain, known] : [known, plain];
  if (long.length - short.length > 1) return false;
  let at = 0;
  while (at < short.length && short[at] === long[at]) at += 1;
  return short.slice(at + (short.length === long.length ? 1 : 0)) === long.slice(at + 1);
}
