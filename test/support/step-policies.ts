import { AsyncLocalStorage } from 'node:async_hooks';
import { readFileSync } from 'node:fs';
import type { Bedrock } from '../../src/bedrock/bedrock.ts';
import type { BedrockAccount } from '../../src/bedrock/bedrock-account.ts';
import { AccessDeniedError, ObjectNotFoundError } from '../../src/core/errors.ts';
import type { StepDeps } from '../../src/steps/deps.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import type { RunTask } from '../../src/targets/embedded/run-locally.ts';
import { functionPlaceholder, STEP_NAMES, type StepName } from '../../src/workflow/definition.ts';
import { holds, matches, type PolicyStatement } from '../aws/iam-policy.ts';
import { asRemote } from './remote-store.ts';
import type { S3Fault, S3Request } from './s3-double.ts';

/** One action on the resources of one pattern. */
export interface GrantedRight {
  action: string;
  resource: string;
  /** What must hold of the call. */
  condition?: PolicyStatement['Condition'];
}

/** What each step's role may do. */
export type StepPolicies = Readonly<Record<StepName, readonly GrantedRight[]>>;

/** The policies of the stack's functions; test/infra keeps them as they are synthesized. */
export function readStepPolicies(): StepPolicies {
  return JSON.parse(readFileSync(new URL('../fixtures/policies/steps.json', import.meta.url), 'utf8'));
}

/** The stack's own. */
const STACK = readStepPolicies();

/** Which step is at work. Whoever works outside of one is nobody's function, and may do all. */
const atWork = new AsyncLocalStorage<StepName>();

/** Does work as a step's function: under its role. */
export function asStep<T>(step: StepName, work: () => Promise<T>): Promise<T> {
  return atWork.run(step, work);
}

/** The policies of a stack that may read datasets in another bucket too; test/infra holds them against such a stack. */
export function withInputBucket(policies: StepPolicies, bucket: string): StepPolicies {
  const rights = [
    { action: 's3:GetObject', resource: `arn:aws:s3:::${bucket}/*` },
    { action: 's3:ListBucket', resource: `arn:aws:s3:::${bucket}` },
  ];
  return { ...policies, plan: [...policies.plan, ...rights], prepare: [...policies.prepare, ...rights] };
}

const NAMES = new Map(STEP_NAMES.map((name) => [functionPlaceholder(name), name]));

/** The step that a task of the state machine is; undefined of a task that is none. */
export function stepOf({ parameters }: Parameters<RunTask>[0]): StepName | undefined {
  return NAMES.get((parameters as { FunctionName?: string }).FunctionName ?? '');
}

/** Carries out each task as the function of its step. */
export function asSteps(runTask: RunTask): RunTask {
  return (call) => {
    const step = stepOf(call);
    return step === undefined ? runTask(call) : asStep(step, () => runTask(call));
  };
}

/** What the steps have on AWS: objects that are no files of this machine, and each step the rights of its own function. */
export function asOnAws<Deps extends WorldDeps>(deps: Deps, policies: StepPolicies = STACK): Deps {
  const remote = { ...deps, store: asRemote(deps.store).store };
  return { ...remote, ...underPolicies(remote, { policies }) };
}

/** A store of objects as a step's function sees it, whose runs are in `bucket`. */
export function storeOf(
  step: StepName,
  store: ObjectStore,
  { bucket, policies = STACK }: { bucket: string; policies?: StepPolicies },
): ObjectStore {
  return guardStore(
    store,
    guardOf(() => step, { policies, bucket, roleArn: '' }),
  );
}

/** Does work as the user of the command line, whose rights are another matter: `resume` takes a run up in the middle of Plan. */
export function asUser<T>(work: () => Promise<T>): Promise<T> {
  return atWork.exit(work);
}

const JOB = 'arn:aws:bedrock:us-east-1:123456789012:model-invocation-job/abcdefghijkl';

/** By what policies steps are judged, and who is told of each right that allowed a call. */
export interface Judgement {
  policies: StepPolicies;
  onUse?: ((step: StepName, right: GrantedRight) => void) | undefined;
  /** The account, where steps may ask one. */
  account?: BedrockAccount;
}

/** What of the steps' world has rights. */
type WorldDeps = Pick<StepDeps, 'store' | 'bedrock' | 'settings'>;

/** What the steps have of the world, where store and Bedrock answer each by the policies of its own role. */
export function underPolicies(
  deps: WorldDeps,
  { policies, onUse, account }: Judgement,
): Pick<StepDeps, 'store' | 'bedrock' | 'account'> {
  const { bucket, roleArn } = deps.settings;
  const guard = guardOf(() => atWork.getStore(), { policies, onUse, bucket, roleArn });
  return {
    store: guardStore(deps.store, guard),
    bedrock: guardBedrock(deps.bedrock, guard.demand),
    ...(account === undefined ? {} : { account: guardAccount(account, guard.demand) }),
  };
}

/** Judges the calls of whatever step is at work. */
function guardOf(
  stepAtWork: () => StepName | undefined,
  { policies, onUse, ...place }: Omit<Judgement, 'account'> & { bucket: string; roleArn: string },
): Guard {
  const isAllowed: Guard['isAllowed'] = (action, resource, context) => {
    const step = stepAtWork();
    if (step === undefined) return true;
    const right = allowingRight(policies[step], { action, resource, context, ...place });
    if (right !== undefined) onUse?.(step, right);
    return right !== undefined;
  };
  const demand: Guard['demand'] = (action, resource, context) => {
    if (isAllowed(action, resource, context)) return;
    throw new AccessDeniedError(`${stepAtWork()} may not ${action} on ${resource}.`);
  };
  return { isAllowed, demand };
}

/** Condition keys that a service sets, with their values. */
type CallContext = Readonly<Record<string, string>>;

interface Guard {
  isAllowed(action: string, resource: string, context?: CallContext): boolean;
  demand(action: string, resource: string, context?: CallContext): void;
}

/** The right that allows a call. */
function allowingRight(
  rights: readonly GrantedRight[],
  {
    action,
    resource,
    context = {},
    bucket,
    roleArn,
  }: { action: string; resource: string; context?: CallContext | undefined; bucket: string; roleArn: string },
): GrantedRight | undefined {
  return rights.find(
    (candidate) =>
      candidate.action === action &&
      matches(candidate.resource.replace('BUCKET', bucket).replace('SERVICE_ROLE', roleArn), resource) &&
      holds(candidate.condition, context),
  );
}

/** How S3 refuses a request of a step, whose role has these rights in the stack of this bucket; undefined where it allows it. */
export function s3RefusalOf(
  { method, path, query }: Pick<S3Request, 'method' | 'path' | 'query'>,
  { rights, bucket, isThere }: { rights: readonly GrantedRight[]; bucket: string; isThere: boolean },
): S3Fault | undefined {
  const [asked = ''] = path.split('/');
  const isAllowed = (action: string, resource: string) =>
    allowingRight(rights, { action, resource: `arn:aws:s3:::${resource}`, bucket, roleArn: '' }) !==
    undefined;
  const mayList = isAllowed('s3:ListBucket', asked);
  const isListing = method === 'GET' && query.has('list-type');
  const reads = method === 'GET' || method === 'HEAD';
  const deletes = query.has('uploadId') ? 's3:AbortMultipartUpload' : 's3:DeleteObject';
  const action = reads ? 's3:GetObject' : method === 'DELETE' ? deletes : 's3:PutObject';
  // That an object is absent is said to those only who may list its bucket.
  const mayDo = isListing ? mayList : isAllowed(action, path) && (!reads || isThere || mayList);
  return mayDo ? undefined : { status: 403, code: 'AccessDenied', message: `${method} ${path}` };
}

function guardStore(store: ObjectStore, { isAllowed, demand }: Guard): ObjectStore {
  const arnOf = (uri: string) => uri.replace('s3://', 'arn:aws:s3:::');
  const bucketOf = (uri: string) => arnOf(uri).split('/')[0] ?? '';
  /** S3 says that an object is absent to those only who may list its bucket. */
  const read = async <T>(uri: string, act: () => Promise<T>): Promise<T> => {
    demand('s3:GetObject', arnOf(uri));
    try {
      const answer = await act();
      if (answer === undefined) demand('s3:ListBucket', bucketOf(uri));
      return answer;
    } catch (error) {
      if (!(error instanceof ObjectNotFoundError) || isAllowed('s3:ListBucket', bucketOf(uri))) throw error;
      throw new AccessDeniedError(`403 for ${uri}, which is absent.`, { cause: error });
    }
  };
  const change = async <T>(
    action: string,
    { uri, act }: { uri: string; act: () => Promise<T> },
  ): Promise<T> => {
    demand(action, arnOf(uri));
    return act();
  };
  const put = <T>(uri: string, act: () => Promise<T>) => change('s3:PutObject', { uri, act });
  async function* listed<T>(uri: string, found: AsyncIterable<T>): AsyncIterable<T> {
    demand('s3:ListBucket', bucketOf(uri));
    yield* found;
  }
  const { localPath } = store;
  return {
    head: (uri) => read(uri, () => store.head(uri)),
    list: (prefix) => listed(prefix, store.list(prefix)),
    listFolders: (folder) => listed(folder, store.listFolders(folder)),
    read: (uri) => read(uri, () => store.read(uri)),
    readStream: (uri, range) => read(uri, () => store.readStream(uri, range)),
    readTagged: (uri) => read(uri, () => store.readTagged(uri)),
    fetchFile: (uri, known) => read(uri, () => store.fetchFile(uri, known)),
    identityOf: (object) => store.identityOf(object),
    write: (uri, body) => put(uri, () => store.write(uri, body)),
    writeIfAbsent: (uri, body) => put(uri, () => store.writeIfAbsent(uri, body)),
    replace: (uri, replacement) => put(uri, () => store.replace(uri, replacement)),
    putFile: (path, uri) => put(uri, () => store.putFile(path, uri)),
    delete: (uri) => change('s3:DeleteObject', { uri, act: () => store.delete(uri) }),
    ...(localPath === undefined ? {} : { localPath }),
  };
}

function guardBedrock(bedrock: Bedrock, demand: Guard['demand']): Bedrock {
  return {
    createJob: async (request) => {
      for (const resource of [...modelArns(request.modelId), JOB]) {
        demand('bedrock:CreateModelInvocationJob', resource);
      }
      if (request.tags.length > 0) demand('bedrock:TagResource', JOB);
      demand('iam:PassRole', request.roleArn, { 'iam:PassedToService': 'bedrock.amazonaws.com' });
      return bedrock.createJob(request);
    },
    getJob: async (jobArn) => {
      demand('bedrock:GetModelInvocationJob', jobArn);
      return bedrock.getJob(jobArn);
    },
    findJobByName: async (jobName) => {
      demand('bedrock:ListModelInvocationJobs', '*');
      return bedrock.findJobByName(jobName);
    },
    invoke: async (modelId, type, modelInput) => {
      for (const resource of modelArns(modelId)) demand('bedrock:InvokeModel', resource);
      return bedrock.invoke(modelId, type, modelInput);
    },
  };
}

function guardAccount(account: BedrockAccount, demand: Guard['demand']): BedrockAccount {
  return {
    batchQuotas: async (baseModelId) => {
      demand('servicequotas:ListServiceQuotas', '*');
      return account.batchQuotas(baseModelId);
    },
    modelBehind: async (profile) => {
      demand('bedrock:GetInferenceProfile', profile);
      return account.modelBehind(profile);
    },
  };
}

/** A profile needs rights on itself and on its model, wherever the request may go. */
function modelArns(modelId: string): string[] {
  const model = /^(?:us|eu|apac|global)\.(.+)$/.exec(modelId)?.[1];
  if (model === undefined) return [`arn:aws:bedrock:us-east-1::foundation-model/${modelId}`];
  return [
    `arn:aws:bedrock:us-east-1:123456789012:inference-profile/${modelId}`,
    `arn:aws:bedrock:us-west-2::foundation-model/${model}`,
  ];
}
