import { expect, test } from 'vitest';
import { parseEnvironment } from '../../src/handlers/environment.ts';

const REQUIRED = {
  QUARRY_BUCKET: 'data-bucket',
  QUARRY_BUCKET_OWNER: '111122223333',
  QUARRY_ROLE_ARN: 'arn:aws:iam::111122223333:role/bedrock',
  QUARRY_VERSION: '1.2.3',
};

test('a function needs to be told four things, and has a default for the rest', () => {
  expect(parseEnvironment(REQUIRED)).toMatchObject({
    QUARRY_POLL_SECONDS: 300,
    QUARRY_MAX_CONCURRENT_JOBS: 100,
    QUARRY_MIN_RECORDS_PER_JOB: 100,
    QUARRY_JOB_SUBNET_IDS: [],
  });
});

test('lists have commas between their names', () => {
  const environment = parseEnvironment({
    ...REQUIRED,
    QUARRY_JOB_SUBNET_IDS: 'subnet-a,subnet-b',
    QUARRY_INPUT_BUCKET_OWNERS: 'their-bucket=444455556666',
  });
  expect(environment.QUARRY_JOB_SUBNET_IDS).toEqual(['subnet-a', 'subnet-b']);
  expect(environment.QUARRY_INPUT_BUCKET_OWNERS).toEqual(['their-bucket=444455556666']);
});

test('a wrong environment names every variable that is wrong, and what to do', () => {
  const parse = () =>
    parseEnvironment({
      ...REQUIRED,
      QUARRY_ROLE_ARN: 'role',
      QUARRY_POLL_SECONDS: '-5',
      QUARRY_BUCKET_OWNER: 'me',
    });
  expect(parse).toThrow('Deploy the stack again');
  expect(parse).toThrow('QUARRY_ROLE_ARN: must be the ARN of a role');
  expect(parse).toThrow('QUARRY_POLL_SECONDS: must be a whole number');
  expect(parse).toThrow('QUARRY_BUCKET_OWNER: must be an account id of twelve digits');
});
