import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startEmulatorProcess, startQuarry } from '../../support/quarry-process.ts';
import { runQuarry } from '../../support/run-quarry.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const ROLE_ARN = 'arn:aws:iam::123456789012:role/batch';

function createJob(url: string, change: object) {
  return fetch(`${url}/model-invocation-job`, {
    method: 'POST',
    body: JSON.stringify({
      jobName: 'job-1',
      roleArn: ROLE_ARN,
      modelId: 'us.amazon.nova-micro-v1:0',
      inputDataConfig: { s3InputDataConfig: { s3Uri: 's3://data-bucket/in/' } },
      outputDataConfig: { s3OutputDataConfig: { s3Uri: 's3://data-bucket/out/' } },
      ...change,
    }),
  });
}

test('faults and profiles come from files', async () => {
  const dir = await temporaryDirectory();
  const faults = join(dir, 'faults.json');
  const profiles = join(dir, 'profiles.json');
  await writeFile(faults, '[{"fault": {"kind": "create-throttled"}}]');
  await writeFile(profiles, '{"abc123": "amazon.nova-micro-v1:0"}');
  const emulator = startQuarry(
    ...['emulate', '--dir', dir, '--port', '0', '--faults', faults, '--profiles', profiles],
  );
  await emulator.printed(/^http:\S+\n/m);
  const url = emulator.out().trim();
  const modelId = 'arn:aws:bedrock:us-east-1:000000000000:application-inference-profile/abc123';
  expect((await createJob(url, { modelId })).status).toBe(429);
  expect((await createJob(url, { modelId })).status).toBe(200);
});

test.each([
  ['--faults', 'none.json', undefined, 'Error: --faults "none.json" cannot be read: ENOENT.'],
  ['--faults', 'bad.json', '[', 'is not JSON: '],
  [
    '--faults',
    'bad.json',
    '[{"fault":{"kind":"create-throttled"}},{"fault":{"kind":"typo"}}]',
    'is not a fault script: [1].fault.kind is wrong. Write a list of rules',
  ],
  [
    '--faults',
    'bad.json',
    '[{"fault":{"kind":"get-throttled","times":2}}]',
    'is not a fault script: [0].fault is wrong: the key times is unknown. Write a list',
  ],
  ['--faults', 'bad.json', '7', 'is not a fault script: the document as a whole is wrong. Write a list'],
  ['--profiles', 'bad.json', '{"a":5}', 'is not a list of profiles: a is wrong. Write {"<profile id>"'],
])('%s %s with %j is refused, and nothing is served', async (flag, name, text, message) => {
  const dir = await temporaryDirectory();
  const path = text === undefined ? name : join(dir, name);
  if (text !== undefined) await writeFile(path, text);
  const { status, out, err } = await runQuarry('emulate', '--dir', dir, '--port', '0', flag, path);
  expect([status, out]).toEqual([1, '']);
  expect(err).toContain(message);
});

test('a second emulator on a folder is refused, and told where the first one is', async () => {
  const dir = await temporaryDirectory();
  const first = await startEmulatorProcess(dir);
  const { status, out, err } = await runQuarry('emulate', '--dir', dir, '--port', '0');
  expect([status, out]).toEqual([1, '']);
  expect(err).toMatch(
    new RegExp(
      `^Error: Process ${first.pid} on \\S+ already serves the emulator of ${dir}. Use it: ${first.url}, or name another folder with --dir.\n\\(EmulatorBusyError\\)\n$`,
    ),
  );
  first.signal('SIGKILL');
  await first.ended;
  const next = await startEmulatorProcess(dir);
  expect((await fetch(`${next.url}/_emulator`)).status).toBe(200);
});

test('runs and other commands on the folder of an emulator join it', async () => {
  const dir = await temporaryDirectory();
  const emulator = await startEmulatorProcess(dir);
  expect((await createJob(emulator.url, {})).status).toBe(200);
  const file = join(dir, 'rows.csv');
  await writeFile(file, `name\n${Array.from({ length: 120 }, (_, index) => `row ${index}\n`).join('')}`);
  const run = await runQuarry(
    ...['run', file, '--dir', dir, '--run-id', 'joined', '--json'],
    ...['--model-id', 'us.amazon.nova-micro-v1:0', '--prompt-template', 'Say {name}'],
  );
  expect([run.status, run.err]).toEqual([0, run.err]);
  expect((await runQuarry('jobs', '--dir', dir, '--json')).status).toBe(0);
  const usage = await (await fetch(`${emulator.url}/_emulator/usage`)).json();
  // The run's job is this emulator's, and each of its records was answered once.
  expect(usage).toMatchObject({ totals: { jobs: 2, answered: 120 }, tracked: { answeredMoreThanOnce: [] } });
});
