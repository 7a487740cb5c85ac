import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createHubAccess } from '../../src/handlers/hub-access.ts';

const SECRET_ARN = 'arn:aws:secretsmanager:us-east-1:111122223333:secret:hugging-face-AbCdEf';

let answer: { status: number; body: unknown };
let asked: string[];
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    asked.push(Buffer.concat(chunks).toString());
    response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify(answer.body));
  });
});

beforeEach(async () => {
  asked = [];
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
});

afterEach(async () => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

test('without a secret the Hub is reached as nobody, and nothing is asked', async () => {
  expect(await createHubAccess(undefined)).toMatchObject({
    endpoint: 'https://huggingface.co',
    token: undefined,
  });
  expect(asked).toEqual([]);
});

test('the token is the text of the secret', async () => {
  answer = { status: 200, body: { SecretString: 'hf_token\n' } };
  expect(await createHubAccess(SECRET_ARN)).toMatchObject({ token: 'hf_token' });
  expect(JSON.parse(asked[0] ?? '')).toEqual({ SecretId: SECRET_ARN });
});

test('a secret that may not be read, is gone or is empty is named, and not tried again', async () => {
  answer = { status: 400, body: { __type: 'AccessDeniedException', message: 'not authorized' } };
  await expect(createHubAccess(SECRET_ARN)).rejects.toMatchObject({
    name: 'AccessDeniedError',
    message: `Could not read the Hugging Face token from ${SECRET_ARN}: not authorized`,
  });
  answer = { status: 400, body: { __type: 'ResourceNotFoundException', message: 'none' } };
  await expect(createHubAccess(SECRET_ARN)).rejects.toMatchObject({ name: 'AccessDeniedError' });
  answer = { status: 200, body: {} };
  await expect(createHubAccess(SECRET_ARN)).rejects.toThrow('is empty');
});

test('a Secrets Manager that does not answer properly is worth trying again', async () => {
  answer = { status: 500, body: { __type: 'InternalServiceError', message: 'later' } };
  await expect(createHubAccess(SECRET_ARN)).rejects.toMatchObject({ name: 'ServiceUnavailableError' });
});
