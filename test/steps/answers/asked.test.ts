import { expect, test } from 'vitest';
import { answeringOf, askedOf, folderOf } from '../../../src/steps/answers/asked.ts';
import { foreignEndpoint } from '../../../src/targets/bedrock/bedrock-target.ts';
import { sha256 } from '../../../src/targets/local/local-target.ts';

const model = {
  model_id: 'us.amazon.nova-lite-v1:0',
  family: 'amazon-nova',
  invocation_type: 'InvokeModel',
} as const;
const server = { url: 'http://localhost:11434', model: 'qwen' };

test('a profile, an alias and the model itself are one; everybody who answers is another', () => {
  const real = askedOf({ model }, { simulated: false });
  expect(real).toEqual({
    answerer: 'bedrock',
    modelId: 'amazon.nova-lite-v1:0',
    invocationType: 'InvokeModel',
  });
  const aliases = [
    { ...model, model_id: 'amazon.nova-lite-v1:0' },
    { ...model, model_id: 'eu.amazon.nova-lite-v1:0' },
    {
      ...model,
      model_id: 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc',
      base_model_id: 'us.amazon.nova-lite-v1:0',
    },
  ];
  for (const alias of aliases) expect(askedOf({ model: alias }, { simulated: false })).toEqual(real);
  const unknown = 'arn:aws:bedrock:us-east-1:123456789012:custom-model/amazon.nova-lite-v1:0/abc';
  const others = [
    { simulated: true },
    { simulated: false, modelServer: server },
    { simulated: false, modelServer: { ...server, model: null } },
    { simulated: false, bedrockEndpoint: 'http://127.0.0.1:4900' },
  ].map((answering) => askedOf({ model }, answering));
  others.push(askedOf({ model: { ...model, invocation_type: 'Converse' } }, { simulated: false }));
  others.push(askedOf({ model: { ...model, model_id: unknown } }, { simulated: false }));
  const folders = [real, ...others].map((asked) => folderOf(asked, { hash: sha256 }).digest);
  expect(new Set(folders).size).toBe(7);
});

test('who answered a run is told by its plan', () => {
  expect(answeringOf({}, true)).toEqual({ simulated: true });
  expect(answeringOf({ model_server: server, bedrock_endpoint: 'http://b' }, false)).toEqual({
    simulated: false,
    modelServer: server,
    bedrockEndpoint: 'http://b',
  });
});

test('only an address of AWS is Bedrock’s own', () => {
  const own = 'https://vpce-0a.bedrock.us-east-1.vpce.amazonaws.com';
  expect(foreignEndpoint({})).toEqual({});
  expect(foreignEndpoint({ AWS_ENDPOINT_URL: own })).toEqual({});
  expect(foreignEndpoint({ AWS_ENDPOINT_URL_BEDROCK: 'https://bedrock.us-east-1.api.aws' })).toEqual({});
  for (const address of ['http://127.0.0.1:4900', 'https://amazonaws.com.evil.example', 'nowhere']) {
    expect(foreignEndpoint({ AWS_ENDPOINT_URL_BEDROCK: address, AWS_ENDPOINT_URL: own })).toEqual({
      bedrockEndpoint: address,
    });
  }
});
