import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { requireCdk } from '../../src/deploy/cdk-packages.ts';

test('the CDK is found where it is installed', () => {
  expect(existsSync(requireCdk())).toBe(true);
});

test('what is missing is named in one command', () => {
  const find = (file: string): string => {
    if (file.startsWith('aws-cdk')) throw new Error('Cannot find module');
    return file;
  };
  expect(() => requireCdk(find)).toThrow(
    /^Deploying takes the AWS CDK, which is not installed: npm install aws-cdk@\^\d\S+ aws-cdk-lib@\^\d\S+$/,
  );
});
