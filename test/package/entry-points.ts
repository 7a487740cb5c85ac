// A user's program, which scripts/test-package.sh compiles and runs in an empty folder with the installed package.
import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BedrockClient, ListModelInvocationJobsCommand } from '@aws-sdk/client-bedrock';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { InvalidRunInputError, Quarry, VERSION } from 'quarry';
import { BedrockBatchWorkflow } from 'quarry/cdk';
import { createDirectoryStore, startEmulator } from 'quarry/emulator';
import { createStateMachine, runExecution, systemClock } from 'quarry/engine';

const folder = await mkdtemp(join(tmpdir(), 'quarry-package-'));

// quarry
assert.match(VERSION, /^\d+\.\d+\.\d+/);
const quarry = new Quarry({ directory: join(folder, 'store') });
const run = await quarry.run({
  dataset: [{ review: 'Good.' }, { review: 'Bad.' }],
  model: 'us.amazon.nova-lite-v1:0',
  prompt: 'Positive or negative? {review}',
});
const kinds = new Set<string>();
for await (const event of run) kinds.add(event.kind);
assert.ok(kinds.has('planned') && kinds.has('collected'));
assert.equal((await run.result).rows.succeeded, 2);
const answers: string[] = [];
for await (const { response } of quarry.results<{ response: string }>(run)) answers.push(response);
assert.equal(answers.length, 2);
const typed = await quarry.run({
  dataset: [{ review: 'Good.' }],
  model: 'us.amazon.nova-lite-v1:0',
  prompt: 'Positive or negative? {review}',
  outputSchema: { mood: 'good | bad' },
});
await typed.result;
for await (const { mood } of quarry.results(typed)) {
  const known: 'good' | 'bad' | null = mood;
  assert.ok(known);
}
const batches = await Array.fromAsync(quarry.resultBatches(typed));
// Arrow's IPC format. https://arrow.apache.org/docs/format/Columnar.html#encapsulated-message-format
assert.deepEqual([...(batches[0] ?? []).subarray(0, 4)], [255, 255, 255, 255]);
await assert.rejects(quarry.status('none'), InvalidRunInputError);

// quarry/engine
const machine = createStateMachine({
  StartAt: 'Double',
  States: { Double: { Type: 'Task', Resource: 'arn:aws:states:::lambda:invoke', End: true } },
});
const doubled = await runExecution(machine, {
  input: 21,
  runTask: async ({ parameters }) => Number(parameters) * 2,
  clock: systemClock,
  random: Math.random,
});
assert.equal(doubled.status === 'SUCCEEDED' && doubled.output, 42);

// quarry/emulator
const emulator = await startEmulator({
  store: createDirectoryStore(join(folder, 'objects')),
  stateDirectory: join(folder, 'emulator'),
  clock: systemClock,
});
const client = new BedrockClient({
  endpoint: emulator.url,
  region: 'us-east-1',
  credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
});
const { invocationJobSummaries } = await client.send(new ListModelInvocationJobsCommand());
assert.deepEqual(invocationJobSummaries, []);
client.destroy();
await emulator.close();

// quarry/cdk
const stack = new Stack(new App({ outdir: join(folder, 'cdk.out') }), 'Reviews');
const workflow = new BedrockBatchWorkflow(stack, 'Batch', { allowedModels: ['amazon.nova-lite-v1:0'] });
assert.equal(workflow.node.id, 'Batch');
Template.fromStack(stack).resourceCountIs('AWS::StepFunctions::StateMachine', 1);

console.log('every entry point works');
