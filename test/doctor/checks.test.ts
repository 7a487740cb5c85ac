import { createServer } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { createVirtualClock } from '../../src/core/clock.ts';
import { makeChecks, ok } from '../../src/doctor/check.ts';
import { checkHuggingFace, checkNode } from '../../src/doctor/check-machine.ts';
import { invokedArns } from '../../src/doctor/invoked-arns.ts';

test('a check that takes too long fails, and keeps no other from its end', async () => {
  const checks = await makeChecks(
    [
      { name: 'slow', run: () => new Promise(() => {}) },
      { name: 'quick', run: async () => ok('here') },
    ],
    { clock: createVirtualClock(), timeoutMs: 20_000 },
  );
  expect(checks).toEqual([
    {
      name: 'slow',
      status: 'failed',
      found: 'There was no answer within 20 seconds.',
      advice: 'Check the network, and the proxy if there is one (HTTPS_PROXY).',
    },
    { name: 'quick', status: 'ok', found: 'here', advice: null },
  ]);
});

test.each([
  ['24.12.0', 'ok', 'Node 24.12.0'],
  ['26.0.1', 'ok', 'Node 26.0.1'],
  ['24.11.9', 'failed', 'Node 24.11.9 is too old.'],
  ['20.20.2', 'failed', 'Node 20.20.2 is too old.'],
])('Node %s is %s', async (version, status, found) => {
  const finding = await checkNode(version);
  expect(finding).toMatchObject({ status, found });
  if (status === 'failed') expect(finding.advice).toBe('Install Node 24.12 or newer.');
});

/** The Hub's answer to who we are. */
async function askHub(status: number) {
  const tokens: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    tokens.push(request.headers.authorization);
    response.writeHead(status).end('{"name":"ada"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  const finding = await checkHub(`http://127.0.0.1:${port}/`);
  expect(tokens).toEqual(['Bearer hf_secret']);
  expect(JSON.stringify(finding)).not.toContain('hf_secret');
  return finding;
}

function checkHub(endpoint: string) {
  return checkHuggingFace({ fetch, environment: { HF_TOKEN: 'hf_secret', HF_ENDPOINT: endpoint } });
}

test('a Hugging Face token is good, refused, or cannot be tried', async () => {
  expect(await askHub(200)).toEqual({
    status: 'ok',
    found: 'The Hub knows the token as ada’s.',
    advice: null,
  });
  expect(await askHub(401)).toMatchObject({
    status: 'failed',
    found: 'The Hub refuses the token in HF_TOKEN.',
    advice: 'Make a new one with read access (huggingface.co, Settings, Access Tokens), or unset it.',
  });
  expect(await askHub(503)).toMatchObject({ status: 'warning', found: 'The Hub answers 503.' });
  expect(await checkHub('http://127.0.0.1:9')).toMatchObject({
    status: 'failed',
    found: expect.stringContaining('http://127.0.0.1:9/api/whoami-v2 cannot be reached: '),
    advice: 'Check the network, and HF_ENDPOINT if it is set. Datasets in S3 do not need the Hub.',
  });
});

test('invoking a model touches the model, and the profile that it is reached by', () => {
  const place = { partition: 'aws', region: 'eu-west-1', account: '123456789012' };
  const profile = 'arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/abc';
  expect(invokedArns('amazon.nova-lite-v1:0', place)).toEqual([
    'arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-lite-v1:0',
  ]);
  expect(invokedArns('eu.amazon.nova-lite-v1:0', place)).toEqual([
    'arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.amazon.nova-lite-v1:0',
    'arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-lite-v1:0',
  ]);
  expect(invokedArns(profile, place)).toEqual([profile]);
});
