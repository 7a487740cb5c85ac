import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { createStateMachine, type HistoryEvent, runExecution } from '../../src/engine/index.ts';
import { openBedrockTarget } from '../../src/targets/bedrock/bedrock-target.ts';
import { createTaskRunner } from '../../src/targets/embedded/step-functions-tasks.ts';
import { definition } from '../../src/workflow/definition.ts';
import { type AwsDouble, type DoubleScript, jsonError, startAwsDouble, xmlResult } from './aws-double.ts';
import { ACCOUNT, type BedrockWorld, BUCKET, openBedrockWorld, ROLE } from './bedrock-world.ts';

const REGION = 'us-west-2';
const MACHINE_ARN = `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:Workflow`;

/** An account with a stack in it. */
export interface StackWorld extends BedrockWorld {
  aws: AwsDouble;
  /** Status of each execution, by its name. */
  executions: ReadonlyMap<string, Execution>;
  /** Answers of AWS instead of the stack's own. */
  answers: DoubleScript;
}

interface Execution {
  name: string;
  input: string;
  status: string;
  startDate: number;
  output?: string;
  error?: string | undefined;
  cause?: string | undefined;
  events: object[];
  abort: AbortController;
}

/** Opens an account whose Step Functions are the embedded engine, behind the API of the service. */
export async function openStackWorld(
  options: Parameters<typeof openBedrockWorld>[0] = {},
): Promise<StackWorld> {
  const world = await openBedrockWorld(options);
  const executions = new Map<string, Execution>();
  const underWay = new Set<Promise<unknown>>();
  const answers: DoubleScript = {};
  const target = openBedrockTarget({
    directory: join(world.directory, 'functions'),
    bucket: BUCKET,
    bucketOwner: ACCOUNT,
    roleArn: ROLE,
    region: REGION,
    profile: undefined,
    pollSeconds: 1,
    clock: systemClock,
    version: '0.1.0',
  });

  const run = async (execution: Execution): Promise<void> => {
    const runTask = createTaskRunner({
      deps: target.deps,
      control: target.control,
      onStepDone: async () => {},
      onJobSeen: async () => {},
      onProgress: () => {},
    });
    const result = await runExecution(createStateMachine(definition), {
      name: execution.name,
      input: JSON.parse(execution.input),
      signal: execution.abort.signal,
      runTask,
      objects: {
        getObject: (bucket, key) => target.store.read(`s3://${bucket}/${key}`),
        putObject: (bucket, key, body) => target.store.write(`s3://${bucket}/${key}`, body),
      },
      clock: systemClock,
      random: () => 0.5,
      onEvent: (event) => {
        if (event.executionName === execution.name) execution.events.push(toServiceEvent(event));
      },
    });
    if (result.status === 'SUCCEEDED') execution.output = JSON.stringify(result.output);
    if (result.status === 'FAILED') Object.assign(execution, { error: result.error, cause: result.cause });
    execution.status = result.status;
  };

  const of = ({ body }: { body: Record<string, unknown> }) =>
    executions.get(String(body.executionArn).split(':').at(-1) ?? '');
  const tellOf = ({ events: _, abort: __, ...execution }: Execution) => ({
    ...execution,
    executionArn: arnOf(execution.name),
    stateMachineArn: MACHINE_ARN,
  });
  const missing = jsonError('ExecutionDoesNotExist', 'Execution Does Not Exist');
  const stack: DoubleScript = {
    DescribeStacks: xmlResult('DescribeStacks', `<Stacks>${STACK}</Stacks>`),
    StartExecution: ({ body }) => {
      const [name, input] = [String(body.name), String(body.input)];
      if (executions.has(name)) return jsonError('ExecutionAlreadyExists', 'Execution Already Exists');
      const startDate = Date.now() / 1000;
      const execution: Execution = {
        ...{ name, input, startDate, status: 'RUNNING', events: [], abort: new AbortController() },
      };
      executions.set(name, execution);
      const work = run(execution);
      underWay.add(work);
      void work.finally(() => underWay.delete(work));
      return { body: { executionArn: arnOf(name), startDate } };
    },
    ListExecutions: () => ({ body: { executions: [...executions.values()].map(tellOf) } }),
    DescribeExecution: (call) => {
      const execution = of(call);
      return execution === undefined ? missing : { body: tellOf(execution) };
    },
    GetExecutionHistory: (call) => ({ body: { events: of(call)?.events ?? [] } }),
    StopExecution: (call) => {
      const execution = of(call);
      execution?.abort.abort(new Error('Stopped.'));
      Object.assign(execution ?? {}, { status: 'ABORTED', error: call.body.error, cause: call.body.cause });
      return { body: { stopDate: Date.now() / 1000 } };
    },
  };
  const aws = await startAwsDouble((action) => answers[action] ?? stack[action]);
  onTestFinished(async () => {
    for (const { abort } of executions.values()) abort.abort(new Error('The test has ended.'));
    await Promise.allSettled(underWay);
    await target[Symbol.asyncDispose]();
    await aws[Symbol.asyncDispose]();
  });
  for (const service of ['SFN', 'CLOUDFORMATION', 'STS']) vi.stubEnv(`AWS_ENDPOINT_URL_${service}`, aws.url);
  return { ...world, aws, executions, answers };
}

function arnOf(name: string): string {
  return `arn:aws:states:${REGION}:${ACCOUNT}:execution:Workflow:${name}`;
}

const STACK = `<member><StackName>Quarry</StackName><StackId>arn:aws:cloudformation:${REGION}:${ACCOUNT}:stack/Quarry/1</StackId><StackStatus>CREATE_COMPLETE</StackStatus><Outputs>${Object.entries(
  {
    bucketName: BUCKET,
    stateMachineArn: MACHINE_ARN,
    stepFunctionName: 'Workflow',
    serviceRoleArn: ROLE,
    quarryVersion: '0.1.0',
    maxRecordsPerJob: '100000',
  },
)
  .map(([key, value]) => `<member><OutputKey>${key}</OutputKey><OutputValue>${value}</OutputValue></member>`)
  .join('')}</Outputs></member>`;

/** An event of the engine as the service tells it. */
function toServiceEvent(event: HistoryEvent): object {
  const { id, type, timestamp } = event;
  const base = { id, type, timestamp: timestamp / 1000 };
  if (!('stateName' in event)) return base;
  const { stateName: name } = event;
  if (type.endsWith('StateEntered')) return { ...base, stateEnteredEventDetails: { name } };
  if (!type.endsWith('StateExited') || !('output' in event)) return base;
  return { ...base, stateExitedEventDetails: { name, output: JSON.stringify(event.output) } };
}
