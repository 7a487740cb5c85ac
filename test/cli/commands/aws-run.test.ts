import { expect, test } from 'vitest';
import { WatchEvent } from '../../../src/quarry/watch/watch-event.ts';
import { claim } from '../../../src/runs/claim.ts';
import { runLayout, runUriOf } from '../../../src/runs/run-layout.ts';
import { jsonError } from '../../support/aws-double.ts';
import { BUCKET } from '../../support/bedrock-world.ts';
import { startQuarry } from '../../support/quarry-process.ts';
import { runQuarry } from '../../support/run-quarry.ts';
import { openStackWorld } from '../../support/stack-world.ts';

const SLOW = {
  faults: [{ fault: { kind: 'slow-stage' as const, stage: 'InProgress' as const, extraMs: 600_000 } }],
};

/** A stack, a dataset, and the command line beside them. */
async function open(options: Parameters<typeof openStackWorld>[0] = {}) {
  const world = await openStackWorld(options);
  const file = await world.writeRows(240);
  const flags = [
    ...['run', file, '--target', 'aws', '--model-id', 'us.amazon.nova-lite-v1:0'],
    ...['--prompt-template', 'Say {n}', '--max-records-per-job', '120'],
  ];
  const quarry = (...args: string[]) => runQuarry(...args, '--dir', world.dir);
  /** Presses Ctrl-C once something was printed. */
  const interrupted = async (text: RegExp, ...args: string[]) => {
    const process = startQuarry(...args, '--dir', world.dir);
    await process.printed(text);
    process.signal('SIGINT');
    return { status: await process.ended, out: process.out(), err: process.err() };
  };
  return { ...world, flags, quarry, interrupted };
}

test('a run goes to the stack and to its end, and is found again by its name alone', async () => {
  const { flags, quarry, executions } = await open();
  const { status, out, err } = await quarry(...flags, '--run-id', 'mine');
  expect(status, err).toBe(0);
  expect(err).toContain('Started the execution mine of the stack "Quarry" in us-west-2.');
  for (const line of [
    /Z Plan: run mine, 240 rows in 2 parts, about \$/m,
    /Z Prepared p00001/m,
    /Z Wave 1/m,
    /Z Collected p00002/m,
  ]) {
    expect(err).toMatch(line);
  }
  expect(out).toContain('Run mine: every row answered');
  expect([...executions.keys()]).toEqual(['mine']);
  expect((await quarry('results', 'mine', '--format', 'jsonl')).out.trimEnd().split('\n')).toHaveLength(240);
  expect((await quarry('status', 'mine')).out).toContain('Run mine: every row answered');
  expect(JSON.parse((await quarry('status', 'mine', '--json')).out)).toMatchObject({ status: 'succeeded' });
  // A run of the stack beside one of this machine, over the same rows: the same model is simulated there and here.
  const here = flags.map((word) => (word === 'aws' ? 'local' : word));
  expect((await quarry(...here, '--run-id', 'here')).status).toBe(0);
  expect(JSON.parse((await quarry('diff', 'mine', 'here', '--json')).out)).toMatchObject({
    diff: {
      joined_by: { kind: 'content', columns: ['n'] },
      in_both: 240,
      is_empty: true,
      a: { billed: true },
    },
  });
  const rerun = await quarry('rerun', 'mine', '--failed', '--run-id', 'again', '--json');
  expect(JSON.parse(rerun.out)).toMatchObject({ rows: { total: 240, succeeded: 240, reused: 240 }, jobs: 0 });
  expect((await quarry('cancel', 'mine')).err).toContain('Run mine has ended already');
  expect((await quarry('jobs', '--target', 'aws')).out).toContain('mine');
  expect((await quarry('status', 'other', '--target', 'aws')).err).toContain('There is no run "other".');
});

test('Ctrl-C leaves the run alone; it is followed again, cancelled, resumed, stopped and harvested by its name', async () => {
  const { flags, quarry, interrupted, executions, dir } = await open(SLOW);
  const started = await interrupted(/Z Wave 1/m, ...flags, '--run-id', 'slow');
  expect(started.status).toBe(130);
  expect(started.err).toContain('The run continues on AWS; press Ctrl-C again to leave at once.');
  expect(started.err).toContain(
    `Detached: The run continues on AWS.\nTo follow it again: quarry status slow --follow --dir ${dir}\nTo stop it: quarry cancel slow --dir ${dir}\n`,
  );
  expect(executions.get('slow')?.status).toBe('RUNNING');

  const status = await quarry('status', 'slow');
  expect(status.out).toMatch(/^Run slow has not ended\.\nThe execution slow has been working on it since 20/);
  expect(status.out).toMatch(/^Bedrock has its jobs as 2 \w+; 0 records of 240 done\.$/m);
  expect(JSON.parse((await quarry('status', 'slow', '--json')).out)).toMatchObject({
    status: 'running',
    execution: { status: 'RUNNING', error: null, message: null },
    records_now: { total: 240, processed: 0 },
  });
  expect(JSON.parse((await quarry('runs', '--target', 'aws', '--json')).out)).toMatchObject([
    { run_id: 'slow', status: 'running' },
  ]);

  const joined = await interrupted(/Z Wave 1/m, ...flags, '--run-id', 'slow');
  expect(joined.err).toContain(
    'The execution slow of the stack "Quarry" in us-west-2 is already working on the run: following it.',
  );
  expect((await interrupted(/Z Wave 1/m, 'status', 'slow', '--follow')).status).toBe(130);
  const watched = await interrupted(/"event":"part".*"state":"running"/, 'watch', 'slow', '--json');
  expect([watched.status, watched.err]).toEqual([0, '']);
  const events = watched.out
    .trimEnd()
    .split('\n')
    .map((line) => WatchEvent.parse(JSON.parse(line)));
  expect(events[0]).toMatchObject({
    ...{ event: 'run', run_id: 'slow', target: 'aws', status: 'running', rows: 240, billed: true },
    ...{ simulated: false, worker: expect.stringMatching(/^execution slow since \d{4}-/) },
  });
  expect(executions.get('slow')?.status).toBe('RUNNING');

  const cancelled = await quarry('cancel', 'slow', '--json');
  expect(cancelled.err).toContain('The execution slow is working on the run; its jobs are stopped');
  expect(cancelled.status).toBe(2);
  expect(JSON.parse(cancelled.out)).toMatchObject({
    status: 'cancelled',
    rows: { total: 240 },
  });

  const resumed = await interrupted(/Z Wave 2/m, 'resume', 'slow');
  expect(resumed.err).toContain('Started the execution slow_2 of the stack');
  const stopped = await quarry('cancel', 'slow', '--now');
  expect(stopped).toMatchObject({
    status: 0,
    out: expect.stringMatching(
      /^The execution slow_2 and \d jobs of run slow are stopped\. .*\nTo collect it: quarry cancel slow --dir \S+\nTo continue: quarry resume slow --dir \S+\n$/,
    ),
  });
  const after = await quarry('status', 'slow');
  expect(after.out).toContain(
    'No execution is working on it. The last one, slow_2, ended as ABORTED.\nExecutionAborted: ',
  );
  expect(after.out).toContain(`To continue: quarry resume slow --dir ${dir}\n`);
  const harvested = await quarry('cancel', 'slow');
  expect(harvested.err).toContain('No execution is working on run slow: one is started that collects');
  expect(harvested.out).toContain('Run slow: cancelled before every row was answered.');
}, 120_000);

test('credentials that expire while it is followed leave the run alone', async () => {
  const { flags, quarry, executions, answers, dir } = await open();
  const running = quarry(...flags, '--run-id', 'expired');
  while (!executions.has('expired')) await new Promise((resolve) => setTimeout(resolve, 20));
  const expired = jsonError('ExpiredTokenException', 'The security token included in the request is expired');
  answers.GetExecutionHistory = expired;
  answers.DescribeExecution = ({ body }) =>
    executions.get('expired')?.status === 'RUNNING'
      ? { body: { ...body, status: 'RUNNING', input: '{}', startDate: 1, stateMachineArn: 'm' } }
      : expired;
  const { status, err } = await running;
  expect(status).toBe(1);
  expect(err).toContain('The credentials have expired: sign in again.');
  expect(err).toContain(
    `The run continues on AWS all the same.\nTo follow it again: quarry status expired --follow --dir ${dir}\n`,
  );
  delete answers.GetExecutionHistory;
  delete answers.DescribeExecution;
  const again = await quarry('status', 'expired', '--follow');
  expect(again.out).toContain('Run expired: every row answered');
});

test('a view without a right goes on without what it hides', async () => {
  const { flags, quarry, answers } = await open();
  answers.GetExecutionHistory = jsonError('AccessDeniedException', 'No.', 403);
  const { status, err } = await quarry(...flags, '--run-id', 'hidden');
  expect(status).toBe(0);
  expect(err).toMatch(/^The phases cannot be shown\. .* Allow states:GetExecutionHistory\.$/m);
  expect(err).toContain('Collected p00001');
});

test('what Plan refuses is told by its own name, and there is nothing to resume', async () => {
  const { flags, quarry } = await open();
  const { status, err } = await quarry(...flags, '--prompt-template', 'Say {nothing}', '--run-id', 'refused');
  expect(status).toBe(1);
  expect(err).toContain('Error: The prompt needs column "nothing"');
  expect(err).not.toContain('quarry resume');
  const { out } = await quarry('status', 'refused');
  expect(out).toContain(
    'Run refused has no plan yet.\nNo execution is working on it. The last one, refused, ended as FAILED.',
  );
  expect(out).toContain('Error: The prompt needs column "nothing"');
  expect((await quarry('resume', 'refused')).err).toContain('There is no run "refused"');
  expect(JSON.parse((await quarry('status', 'refused', '--json')).out)).toMatchObject({
    run_id: 'refused',
    status: 'failed',
    execution: { status: 'FAILED', error: 'InvalidRunInputError' },
  });
});

test('a run that a process is working on with this bucket is not started beside it', async () => {
  const { flags, quarry, store, executions } = await open();
  const claimed = await claim(store, runLayout(runUriOf(BUCKET, 'busy')).lock);
  if (claimed.kind !== 'held') throw new Error('Somebody has it.');
  await using _lock = claimed.claim;
  const { err } = await quarry(...flags, '--run-id', 'busy');
  expect(err).toMatch(
    /Error: Process \d+ on \S+ is working on run "busy" with --target bedrock\.[\s\S]*\(RunBusyError\)/,
  );
  expect(executions.size).toBe(0);
});
