import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startLambdaHost } from './lambda-host.ts';
import { MOTO_ACCOUNT, REGION } from './moto.ts';
import { allAssets, readTemplate, sizeOf } from './synthesized.ts';

/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const MAX_UNPACKED_BYTES = 250 * 1024 ** 2;
/** Our own: a bundle that grows past this has swallowed something that it should not. */
const MAX_CODE_BYTES = 2 * 1024 ** 2;
/** What Plan has besides: the table of the tokenizer, which it reads where it counts tokens. */
const TOKENIZER_BYTES = 3.5 * 1024 ** 2;

const { resources } = readTemplate();

const ENVIRONMENT = {
  AWS_REGION: REGION,
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  QUARRY_BUCKET: 'data-bucket',
  QUARRY_BUCKET_OWNER: MOTO_ACCOUNT,
  QUARRY_ROLE_ARN: `arn:aws:iam::${MOTO_ACCOUNT}:role/bedrock`,
  QUARRY_VERSION: '1.2.3',
};

describe.each(allAssets(resources))('the bundle of $step', ({ step, asset }) => {
  test('is within Lambda’s limits, and has its source map beside it', () => {
    const code = sizeOf(join(asset, 'index.mjs'));
    const all = sizeOf(asset);
    console.log(
      `${step}: code ${(code / 1024).toFixed(0)} KiB, unpacked ${(all / 1024 ** 2).toFixed(1)} MiB`,
    );
    expect(code).toBeLessThan(MAX_CODE_BYTES + (step === 'plan' ? TOKENIZER_BYTES : 0));
    expect(all).toBeLessThan(MAX_UNPACKED_BYTES);
    expect(existsSync(join(asset, 'index.mjs.map'))).toBe(true);
  });

  test('has DuckDB beside it where the step reads rows, and nothing else', () => {
    const beside = readdirSync(asset).filter((name) => !name.startsWith('index.mjs'));
    const readsRows = /(?:from|import) ?\(?["']@duckdb\/node-api["']/.test(
      readFileSync(join(asset, 'index.mjs'), 'utf8'),
    );
    if (!readsRows) return expect(beside).toEqual([]);
    expect(beside.filter((name) => !name.startsWith('package'))).toEqual(['node_modules']);
    expect(readdirSync(join(asset, 'node_modules', '@duckdb')).sort()).toEqual([
      'node-api',
      'node-bindings',
      'node-bindings-linux-x64',
    ]);
  });

  test('loads in an empty folder and refuses an input that is none by a name', async () => {
    await using host = await startLambdaHost(asset, ENVIRONMENT);
    console.log(`${step}: cold start ${host.coldStartMs.toFixed(0)} ms`);
    expect(await host.invoke({})).toMatchObject({
      kind: 'error',
      error: { errorType: expect.stringMatching(/^(InvalidRunInputError|ZodError)$/) },
    });
    expect(JSON.parse(host.log())).toMatchObject({ level: 'ERROR', step });
  });
});

test('a bundle without its environment says which variables are missing', async () => {
  const [first] = allAssets(resources);
  await expect(startLambdaHost(first?.asset ?? '', { AWS_REGION: REGION })).rejects.toThrow('QUARRY_BUCKET');
});
