import { expect, onTestFinished, test } from 'vitest';
import { MODEL, ROLE, WELL } from '../../doctor/doctor-double.ts';
import { type DoubleScript, startAwsDouble, stubAwsEnvironment } from '../../support/aws-double.ts';
import { runQuarry } from '../../support/run-quarry.ts';

async function doctor(script: DoubleScript, ...args: string[]) {
  const double = await startAwsDouble({ ...WELL, ...script });
  onTestFinished(() => double[Symbol.asyncDispose]());
  stubAwsEnvironment(double.url, { HF_TOKEN: undefined });
  return runQuarry('doctor', ...args);
}

test('a sound stack ends with 0, each check in a line of its own', async () => {
  const { status, out } = await doctor({}, '--target', 'aws', '--model-id', MODEL);
  expect(status).toBe(0);
  const lines = out.split('\n');
  expect(lines[1]).toBe('ok       Region         us-east-1');
  expect(lines.filter((line) => line.startsWith('ok '))).toHaveLength(14);
  expect(out).toMatch(/\n14 ok, 1 skipped\n$/);
});

test('what has failed ends with 1, and has what to do below it', async () => {
  const missing = { 'HEAD /the-bucket*': { status: 404, body: '' } };
  const { status, out } = await doctor(missing, '--bucket', 'the-bucket', '--role-arn', ROLE);
  expect(status).toBe(1);
  expect(out).toContain(
    [
      'failed   Bucket            There is no bucket "the-bucket".',
      '                           → Check the name, or create it (aws s3 mb), in the region of the jobs.',
    ].join('\n'),
  );
  // A bucket or a role is of a target without a stack.
  expect(out).toContain('Passing the role');
});

test('for programs it is one JSON document', async () => {
  const { status, out } = await doctor({}, '--stack', 'Quarry', '--json');
  expect(status).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    target: 'aws',
    ok: true,
    checks: expect.arrayContaining([
      { name: 'Region', status: 'ok', found: 'us-east-1', advice: null },
      expect.objectContaining({ name: 'Model', status: 'skipped' }),
    ]),
  });
});

test('without a word of AWS only this machine is looked at', async () => {
  const { status, out } = await doctor({});
  expect(status).toBe(0);
  expect(out).toContain('Runs on this machine need no more. For AWS: quarry doctor --target bedrock');
});
