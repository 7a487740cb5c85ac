import { describe, expect, test } from 'vitest';
import { distributedMap, run } from '../run.ts';

describe('ItemReader', () => {
  const reading = (InputType: 'JSON' | 'JSONL', config: object = {}) =>
    distributedMap({
      ItemReader: {
        Resource: 'arn:aws:states:::s3:getObject',
        ReaderConfig: { InputType, ...config },
        Parameters: { Bucket: 'bucket', 'Key.$': '$.key' },
      },
    });
  const read = async (body: string, definition: ReturnType<typeof reading>, input = {}) =>
    (await run(definition, { input: { key: 'items', ...input }, objects: { 'bucket/items': body } })).result;

  test('reads a JSON array', async () => {
    expect(await read('[1, {"a": 2}]', reading('JSON'))).toMatchObject({ output: [1, { a: 2 }] });
  });

  test('reads JSON Lines, with or without a line break at the end, and of any kind', async () => {
    for (const body of ['1\n{"a":2}', '1\n{"a":2}\n', '1\r\n\r\n{"a":2}\r\n'])
      expect(await read(body, reading('JSONL'))).toMatchObject({ output: [1, { a: 2 }] });
    expect(await read('', reading('JSONL'))).toMatchObject({ output: [] });
  });

  test('reads no more than MaxItems, or than MaxItemsPath says', async () => {
    expect(await read('[1,2,3]', reading('JSON', { MaxItems: 2 }))).toMatchObject({ output: [1, 2] });
    expect(await read('1\n2\n3', reading('JSONL', { MaxItems: 2 }))).toMatchObject({ output: [1, 2] });
    const byPath = reading('JSONL', { MaxItemsPath: '$.max' });
    expect(await read('1\n2\n3', byPath, { max: 1 })).toMatchObject({ output: [1] });
  });

  test('gives items to ItemSelector, whose $ is the state input', async () => {
    const definition = distributedMap({
      ItemReader: {
        Resource: 'arn:aws:states:::s3:getObject',
        ReaderConfig: { InputType: 'JSON' },
        Parameters: { Bucket: 'bucket', Key: 'items' },
      },
      ItemSelector: { 'part.$': '$$.Map.Item.Value.id', 'key.$': '$.key' },
    });
    expect(await read('[{"id":7}]', definition)).toMatchObject({ output: [{ part: 7, key: 'items' }] });
  });

  test.each<['JSON' | 'JSONL', string, string]>([
    ['JSON', '{"a":1}', 'must hold a JSON array'],
    ['JSON', '[1,', 'JSON'],
    ['JSONL', '1\nnot json', 'line 2 is not JSON'],
  ])('fails with States.ItemReaderFailed on %s %j', async (inputType, body, reason) => {
    expect(await read(body, reading(inputType))).toMatchObject({
      status: 'FAILED',
      error: 'States.ItemReaderFailed',
      cause: expect.stringMatching(new RegExp(`s3://bucket/items: .*${reason}`)),
    });
  });

  test('fails with States.ItemReaderFailed where the object is missing or its key is no text', async () => {
    const missing = await run(reading('JSON'), { input: { key: 'nothing' } });
    expect(missing.result).toMatchObject({ error: 'States.ItemReaderFailed' });
    expect((await run(reading('JSON'), { input: { key: 1 } })).result).toMatchObject({
      error: 'States.ItemReaderFailed',
      cause: expect.stringContaining('Bucket and Key must be strings'),
    });
    expect(missing.events.map(({ type }) => type)).toContain('MapRunFailed');
  });
});
