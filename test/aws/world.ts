import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CloudFormationClient,
  CreateStackCommand,
  DescribeStacksCommand,
  ListStackResourcesCommand,
} from '@aws-sdk/client-cloudformation';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { systemClock } from '../../src/core/clock.ts';
import { type EmulatorOptions, startEmulator } from '../../src/emulator/server.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { createS3Client } from '../../src/store/s3-client.ts';
import { createS3Store } from '../../src/store/s3-store.ts';
import { STEP_NAMES, type StepName } from '../../src/workflow/definition.ts';
import { type HubDouble, startHubDouble } from '../hub/hub-double.ts';
import { putBootstrapVersion } from './bootstrap.ts';
import { allowingStatement, type PolicyStatement } from './iam-policy.ts';
import { type LambdaHost, startLambdaHost } from './lambda-host.ts';
import { CREDENTIALS, freePort, MOTO_ACCOUNT, REGION, startMoto } from './moto.ts';
import { type LocalAnswer, type RecordedCall, startRecordingProxy } from './recording-proxy.ts';
import { requiredRights } from './required-rights.ts';
import {
  allAssets,
  createResolver,
  functionIdOf,
  readTemplate,
  referredId,
  statementsOfRole,
  type TemplateResource,
  versionIdOf,
} from './synthesized.ts';

/** Everything that stands for AWS. */
export interface World extends AsyncDisposable {
  directory: string;
  bucket: string;
  store: ObjectStore;
  sfn: SFNClient;
  /** Where somebody outside finds all of it: the endpoint of every service. */
  url: string;
  definitionText: string;
  hosts: Map<StepName, LambdaHost>;
  calls: RecordedCall[];
  resources: Record<string, TemplateResource>;
  statementsOf(caller: string): PolicyStatement[];
  /** Puts physical names in the place of a template's references. */
  resolve(value: unknown): unknown;
  /** Calls that are denied although the policies allow them, by whom and what. */
  deny(isDenied: (call: RecordedCall) => boolean): void;
  hub: HubDouble;
}

/** Record ids of these rows. */
function recordIds(first: number, end: number): string[] {
  return Array.from({ length: end - first }, (_, index) => `r${String(first + index).padStart(10, '0')}`);
}

/** What the emulator does wrong, here and there: one part's job fails, one ends half way, one row is
 * refused; and one run's jobs all fail alike. */
export const EMULATOR: Pick<
  EmulatorOptions,
  'seed' | 'durations' | 'faults' | 'accountId' | 'clock' | 'applicationProfiles'
> = {
  seed: 7,
  clock: systemClock,
  accountId: MOTO_ACCOUNT,
  applicationProfiles: { abc123: 'ai21.jamba-1-5-large-v1:0' },
  durations: {
    submittedMs: 50,
    validatingMs: 50,
    scheduledMs: 50,
    inProgressMs: 200,
    inProgressMsPerRecord: 0,
    stoppingMs: 50,
  },
  faults: [
    {
      when: { jobName: '^stopped-' },
      fault: { kind: 'validation-failed', message: 'The model has reached the end of its life.' },
    },
    { when: { jobName: '^denied-' }, fault: { kind: 'kms-denied' } },
    {
      when: { jobName: '-p00002$' },
      fault: {
        kind: 'job-ended',
        status: 'Failed',
        stage: 'Validating',
        message: 'Something went wrong.',
      },
    },
    {
      when: { jobName: '-p00004$' },
      fault: { kind: 'job-ended', status: 'PartiallyCompleted', fraction: 1 },
    },
    {
      when: { jobName: '-p00004$' },
      // By name: which half a job answers depends on when it was created.
      fault: { kind: 'missing-records', recordIds: recordIds(330, 380) },
    },
    {
      when: { jobName: '-p00005$' },
      fault: { kind: 'record-errors', recordIds: ['r0000000430'], errorCode: 400, errorMessage: 'No.' },
    },
    {
      fault: {
        kind: 'record-errors',
        recordIds: ['r0000000600'],
        errorCode: 500,
        errorMessage: 'Try again.',
        firstAttemptOnly: true,
      },
    },
  ],
};

/** A word that is in the dataset only. */
export const SECRET = 'heliotrope';
export const ROWS = 860;

/**
 * The stack as moto's CloudFormation made it, its functions in processes of their own, Bedrock emulated, and a
 * recorder before everybody who calls AWS.
 */
export async function openWorld(emulatorOptions: Partial<typeof EMULATOR> = {}): Promise<World> {
  const cleanUp = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'quarry-aws-'));
  cleanUp.defer(() => rm(directory, { recursive: true, force: true }));
  const engineCallsPort = await freePort();
  const moto = cleanUp.use(await startMoto({ engineCallsPort }));
  const clientOptions = { endpoint: moto.url, region: REGION, credentials: CREDENTIALS };
  const calls: RecordedCall[] = [];

  // The stack, by moto's CloudFormation.
  const { text, resources } = readTemplate();
  const s3 = createS3Client(clientOptions);
  await s3.send(new CreateBucketCommand({ Bucket: `cdk-hnb659fds-assets-${MOTO_ACCOUNT}-${REGION}` }));
  for (const { Properties } of Object.values(resources).filter(
    ({ Type }) => Type === 'AWS::Lambda::Function',
  )) {
    await s3.send(
      new PutObjectCommand({
        Bucket: `cdk-hnb659fds-assets-${MOTO_ACCOUNT}-${REGION}`,
        Key: Properties.Code.S3Key,
        Body: EMPTY_ZIP,
      }),
    );
  }
  await putBootstrapVersion(moto.url);
  const cloudFormation = new CloudFormationClient(clientOptions);
  await cloudFormation.send(
    new CreateStackCommand({ StackName: 'Quarry', TemplateBody: text, Capabilities: ['CAPABILITY_IAM'] }),
  );
  const { Stacks } = await cloudFormation.send(new DescribeStacksCommand({ StackName: 'Quarry' }));
  if (Stacks?.[0]?.StackStatus !== 'CREATE_COMPLETE') {
    throw new Error(`moto does not create the stack: ${JSON.stringify(Stacks)}`);
  }
  const outputs = new Map(
    Stacks?.[0]?.Outputs?.map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]),
  );
  const physicalIds = new Map<string, string>();
  let NextToken: string | undefined;
  do {
    const page = await cloudFormation.send(new ListStackResourcesCommand({ StackName: 'Quarry', NextToken }));
    for (const { LogicalResourceId = '', PhysicalResourceId = '' } of page.StackResourceSummaries ?? []) {
      physicalIds.set(LogicalResourceId, PhysicalResourceId);
    }
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  const resolve = createResolver(resources, physicalIds);
  const roleIds = roleIdsOf(resources);
  const statementsOf = (caller: string) => statementsOfRole(roleIds.get(caller) ?? '', resources, resolve);
  const denials: ((call: RecordedCall) => boolean)[] = [];
  const enforced = (caller: string) => {
    const statements = statementsOf(caller);
    return {
      caller,
      calls,
      isAllowed: (call: RecordedCall) =>
        requiredRights(call).every((right) => allowingStatement(statements, right) !== undefined) &&
        !denials.some((isDenied) => isDenied(call)),
    };
  };
  const bucket = outputs.get('bucketName') ?? '';
  const store = createS3Store({ client: s3, scratchDirectory: join(directory, 's3') });

  // Bedrock, which reads and writes the bucket as its service role.
  const bedrockS3 = cleanUp.use(
    await startRecordingProxy({ ...enforced('serviceRole'), route: () => moto.url }),
  );
  const emulator = await startEmulator({
    ...EMULATOR,
    ...emulatorOptions,
    store: createS3Store({
      client: createS3Client({ ...clientOptions, endpoint: bedrockS3.url }),
      scratchDirectory: join(directory, 'bedrock'),
    }),
    stateDirectory: join(directory, 'emulator'),
  });
  cleanUp.defer(() => emulator.close());
  const routeOf = (path: string) =>
    /^\/(?:model-invocation-job|model\/|inference-profiles\/)/.test(path) ? emulator.url : moto.url;

  const hub = cleanUp.use(
    await startHubDouble({ 'o/topics': { files: { 'train.csv': `id,topic\n${'1,hope\n'.repeat(120)}` } } }),
  );

  // The functions: each bundle in a folder of its own, each with a proxy of its own.
  const hosts = new Map<StepName, LambdaHost>();
  const stepOfFunction = new Map<string, StepName>();
  for (const { step, asset } of allAssets(resources)) {
    const proxy = cleanUp.use(
      await startRecordingProxy({
        ...enforced(step),
        // Plan reads its account's quotas, which moto does not know: as of an account that tells none.
        route: (path, method) => (method === 'POST' && path === '/' ? tellNoQuotas : routeOf(path)),
      }),
    );
    const functionId = functionIdOf(step, resources);
    const variables = resolve(resources[functionId]?.Properties.Environment.Variables) as Record<
      string,
      string
    >;
    const host = await startLambdaHost(asset, {
      ...variables,
      // Nobody waits for minutes here; all else is as deployed.
      QUARRY_POLL_SECONDS: '1',
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      AWS_ENDPOINT_URL: proxy.url,
      HF_ENDPOINT: hub.endpoint,
    });
    hosts.set(step, cleanUp.use(host));
    stepOfFunction.set(String(resolve({ Ref: versionIdOf(step, resources) })), step);
  }

  // What moto's interpreter calls: our Bedrock, our functions, and its own S3.
  const invoke = async (call: Omit<RecordedCall, 'status'>): Promise<LocalAnswer> => {
    const arn = decodeURIComponent(call.path.split('/')[3] ?? '');
    const host = hosts.get(stepOfFunction.get(arn) ?? 'plan');
    const result = await host?.invoke(JSON.parse(call.body));
    return result?.kind === 'output'
      ? { status: 200, headers: {}, body: JSON.stringify(result.output) }
      : {
          status: 200,
          headers: { 'x-amz-function-error': 'Unhandled' },
          body: JSON.stringify(result?.error ?? { errorType: 'Unknown', errorMessage: arn }),
        };
  };
  cleanUp.use(
    await startRecordingProxy({
      ...enforced('stateMachine'),
      port: engineCallsPort,
      route: (path) => (path.startsWith('/2015-03-31/functions/') ? invoke : routeOf(path)),
    }),
  );
  const outside = cleanUp.use(await startRecordingProxy({ caller: 'outside', route: routeOf, calls }));
  await fetch(`${moto.url}/moto-api/config`, {
    method: 'POST',
    body: JSON.stringify({ stepfunctions: { execute_state_machine: true } }),
  });

  const machine = Object.values(resources).find(({ Type }) => Type === 'AWS::StepFunctions::StateMachine');
  const substitutions = resolve(machine?.Properties.DefinitionSubstitutions) as Record<string, string>;
  const rows = Array.from({ length: ROWS }, (_, row) => `${row},${SECRET} ${row}`);
  await store.write(`s3://${bucket}/datasets/topics.csv`, `id,topic\n${rows.join('\n')}\n`);
  const repeated = Array.from({ length: 400 }, (_, row) => `${row},${SECRET} ${row % 150}`);
  await store.write(`s3://${bucket}/datasets/repeated.csv`, `id,topic\n${repeated.join('\n')}\n`);
  return {
    directory,
    bucket,
    store,
    sfn: new SFNClient(clientOptions),
    url: outside.url,
    definitionText: String(machine?.Properties.DefinitionString)
      .replace(/\$\{(\w+)\}/g, (_, name) => substitutions[name] ?? '')
      // moto's grammar takes no whole number here.
      .replace('"ToleratedFailurePercentage":100', '"ToleratedFailurePercentage":100.0'),
    hosts,
    calls,
    resources,
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
    statementsOf,
    resolve,
    deny: (isDenied) => denials.push(isDenied),
    hub,
  };
}

/** Logical ids of the roles of all who call AWS. */
function roleIdsOf(resources: Record<string, TemplateResource>): Map<string, string> {
  const machine = Object.values(resources).find(({ Type }) => Type === 'AWS::StepFunctions::StateMachine');
  return new Map([
    ['serviceRole', idOf(resources, 'AWS::IAM::Role', 'ServiceRole')],
    ['stateMachine', referredId(machine?.Properties.RoleArn)],
    ...STEP_NAMES.map((step): [string, string] => [
      step,
      referredId(resources[functionIdOf(step, resources)]?.Properties.Role),
    ]),
  ]);
}

function idOf(resources: Record<string, TemplateResource>, type: string, part: string): string {
  return Object.keys(resources).find((id) => resources[id]?.Type === type && id.includes(part)) ?? '';
}

/** An archive with nothing in it: moto stores the code, and never runs it. */
const EMPTY_ZIP = Buffer.from(`504b0506${'00'.repeat(18)}`, 'hex');

/** The answer of ListServiceQuotas. */
async function tellNoQuotas(): Promise<LocalAnswer> {
  return { status: 200, headers: { 'content-type': 'application/x-amz-json-1.1' }, body: '{"Quotas":[]}' };
}
