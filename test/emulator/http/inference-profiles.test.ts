import { BedrockClient, GetInferenceProfileCommand } from '@aws-sdk/client-bedrock';
import { expect, test } from 'vitest';
import { openBedrockWorld } from '../../support/bedrock-world.ts';

const APPLICATION = 'arn:aws:bedrock:us-west-2:111122223333:application-inference-profile/abc123';

test('GetInferenceProfile tells what a profile is of, by id and by ARN, and knows no others', async () => {
  await openBedrockWorld({ applicationProfiles: { abc123: 'amazon.nova-lite-v1:0' } });
  const client = new BedrockClient({});
  const get = (inferenceProfileIdentifier: string) =>
    client.send(new GetInferenceProfileCommand({ inferenceProfileIdentifier }));
  for (const identifier of ['abc123', APPLICATION]) {
    expect(await get(identifier)).toMatchObject({
      inferenceProfileArn: APPLICATION,
      inferenceProfileId: 'abc123',
      type: 'APPLICATION',
      status: 'ACTIVE',
      models: [{ modelArn: 'arn:aws:bedrock:us-west-2::foundation-model/amazon.nova-lite-v1:0' }],
      createdAt: expect.any(Date),
    });
  }
  expect(await get('us.amazon.nova-lite-v1:0')).toMatchObject({
    type: 'SYSTEM_DEFINED',
    models: [{ modelArn: 'arn:aws:bedrock:us-west-2::foundation-model/amazon.nova-lite-v1:0' }],
  });
  for (const identifier of [
    'jp.amazon.nova-lite-v1:0',
    'other',
    APPLICATION.replace('111122223333', '999922223333'),
  ]) {
    await expect(get(identifier)).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: `Could not find the inference profile ${identifier}.`,
    });
  }
  client.destroy();
});
