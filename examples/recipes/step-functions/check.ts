// Runs the parent execution on quarry/engine, and its child on this machine. The engine has no `.sync:2` integration, so its one
// state that has it is given to a task of ours, which answers as Step Functions does.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Quarry, type RunRequest } from 'quarry';
import { createStateMachine, runExecution, systemClock, type TaskCall } from 'quarry/engine';

const SYNC = 'arn:aws:states:::states:startExecution.sync:2';
const text = readFileSync('nightly.asl.json', 'utf8');
assert.ok(text.includes(SYNC));
const machine = createStateMachine(JSON.parse(text.replace(SYNC, 'start-execution')), { name: 'Nightly' });
const quarry = new Quarry({ directory: 'store' });

/** Starts the child with the document that Quarry's machine would get; only its dataset is a file of this machine. */
async function startExecution({ parameters }: TaskCall) {
  const { Input } = parameters as { Input: RunRequest & { s3_uri: string } };
  const { s3_uri: dataset, ...request } = Input;
  const run = await quarry.run({ ...request, dataset });
  const { run_id, status, rows } = await run.result;
  return { Status: 'SUCCEEDED', Output: { run_id, status, rows } };
}

const ended = await runExecution(machine, {
  input: { day: '2026-01-02', dataset: 'reviews.csv', prompt: 'Good or bad? {review}' },
  runTask: startExecution,
  clock: systemClock,
  random: Math.random,
});
assert.equal(ended.status, 'SUCCEEDED', JSON.stringify(ended));
const { run } = (ended as { output: { run: { run_id: string; rows: { succeeded: number } } } }).output;
assert.deepEqual([run.run_id, run.rows.succeeded], ['reviews-2026-01-02', 120]);
