import { describe, expect, test } from 'vitest';
import type { MapState } from '../../../src/engine/definition/amazon-states-language.ts';
import type { ChildResult } from '../../../src/engine/map/child-execution.ts';
import { distributedMap, failingFor, run, upTo } from '../run.ts';

describe('ResultWriter', () => {
  const writing = (fields: Partial<MapState> = {}) =>
    distributedMap({
      ...(fields as object),
      ResultWriter: {
        Resource: 'arn:aws:states:::s3:putObject',
        Parameters: { Bucket: 'bucket', Prefix: 'results/of/run' },
      },
    });
  const keysOf = (objects: Record<string, string>) =>
    Object.keys(objects).map((key) => key.replace(/[\da-f-]{36}/, 'UUID'));
  const at = (objects: Record<string, string>, name: string): string =>
    Object.entries(objects).find(([key]) => key.endsWith(name))?.[1] ?? '';

  test('writes a manifest and a file for each kind of ending, and gives the manifest as the result', async () => {
    const { result, objects } = await run(writing({ ToleratedFailurePercentage: 50 }), {
      input: [0, 1, 2],
      runTask: failingFor(1),
    });
    expect(keysOf(objects)).toEqual([
      'bucket/results/of/run/UUID/FAILED_0.json',
      'bucket/results/of/run/UUID/SUCCEEDED_0.json',
      'bucket/results/of/run/UUID/manifest.json',
    ]);
    const manifest = JSON.parse(at(objects, 'manifest.json'));
    const [failedKey, succeededKey, manifestKey] = Object.keys(objects).map((key) =>
      key.slice('bucket/'.length),
    );
    expect(manifest).toEqual({
      DestinationBucket: 'bucket',
      MapRunArn: expect.stringMatching(
        /^arn:aws:states:local:000000000000:mapRun:StateMachine\/For-each:[\da-f-]{36}$/,
      ),
      ResultFiles: {
        FAILED: [{ Key: failedKey, Size: Buffer.byteLength(at(objects, 'FAILED_0.json')) }],
        PENDING: [],
        SUCCEEDED: [{ Key: succeededKey, Size: Buffer.byteLength(at(objects, 'SUCCEEDED_0.json')) }],
      },
    });
    expect(result).toMatchObject({
      output: { MapRunArn: manifest.MapRunArn, ResultWriterDetails: { Bucket: 'bucket', Key: manifestKey } },
    });
  });

  test('describes each child as Step Functions does', async () => {
    const { objects } = await run(writing({ ToleratedFailurePercentage: 100 }), {
      input: [{ n: 1 }, 'bad'],
      runTask: failingFor('bad'),
    });
    const succeeded: ChildResult[] = JSON.parse(at(objects, 'SUCCEEDED_0.json'));
    expect(succeeded).toEqual([
      {
        ExecutionArn: `arn:aws:states:local:000000000000:execution:StateMachine/For-each:${succeeded[0]?.Name}`,
        Input: '{"n":1}',
        InputDetails: { Included: true },
        Name: expect.stringMatching(/^[\da-f-]{36}$/),
        Output: '"did [object Object]"',
        OutputDetails: { Included: true },
        RedriveCount: 0,
        RedriveStatus: 'NOT_REDRIVABLE',
        StartDate: '2026-01-01T00:00:00.000Z',
        StateMachineArn: 'arn:aws:states:local:000000000000:stateMachine:StateMachine/For-each',
        Status: 'SUCCEEDED',
        StopDate: '2026-01-01T00:00:00.000Z',
      },
    ]);
    expect(JSON.parse(at(objects, 'FAILED_0.json'))).toMatchObject([
      { Input: '"bad"', Status: 'FAILED', Error: 'BadItem', Cause: 'item bad' },
    ]);
  });

  test('takes results of any size together, in several files', async () => {
    const { result, objects } = await run(writing(), {
      input: upTo(90),
      runTask: async () => 'x'.repeat(200_000),
    });
    expect(result.status).toBe('SUCCEEDED');
    const files = Object.entries(objects).filter(([key]) => key.includes('SUCCEEDED_'));
    expect(files.length).toBeGreaterThan(1);
    expect(files.flatMap(([, body]) => JSON.parse(body) as ChildResult[])).toHaveLength(90);
    const manifest = JSON.parse(at(objects, 'manifest.json'));
    expect(manifest.ResultFiles.SUCCEEDED).toHaveLength(files.length);
  });

  test('writes a manifest of nothing for no items, and takes no Prefix', async () => {
    const definition = distributedMap({
      ResultWriter: { Resource: 'arn:aws:states:::s3:putObject', Parameters: { Bucket: 'bucket' } },
    });
    const { objects } = await run(definition, { input: [] });
    expect(keysOf(objects)).toEqual(['bucket/UUID/manifest.json']);
  });

  test('writes what there is of a Map Run that fails', async () => {
    const { result, objects } = await run(writing({ MaxConcurrency: 1 }), {
      input: upTo(5),
      runTask: failingFor(2),
    });
    expect(result).toMatchObject({ error: 'States.ExceedToleratedFailureThreshold' });
    expect(JSON.parse(at(objects, 'SUCCEEDED_0.json'))).toHaveLength(2);
    expect(JSON.parse(at(objects, 'FAILED_0.json'))).toHaveLength(1);
  });

  test('fails with States.ResultWriterFailed where the store does, or its parameters are no texts', async () => {
    const putObject = async () => {
      throw new Error('no room');
    };
    expect((await run(writing(), { input: [1], store: { putObject } })).result).toMatchObject({
      status: 'FAILED',
      error: 'States.ResultWriterFailed',
      cause: expect.stringContaining('no room'),
    });
    const definition = distributedMap({
      ResultWriter: { Resource: 'arn:aws:states:::s3:putObject', Parameters: { Bucket: 1 } },
    });
    expect((await run(definition, { input: [1] })).result).toMatchObject({
      error: 'States.ResultWriterFailed',
    });
  });
});
