import { describe, expect, test } from 'vitest';
import type {
  MapState,
  StateMachineDefinition,
} from '../../../src/engine/definition/amazon-states-language.ts';
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
  const mapOf = ({ States }: StateMachineDefinition) => {
    const { ItemReader } = States['For each'] as MapState;
    return ItemReader === undefined ? {} : { ItemReader };
  };
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

  test('reads all items for a MaxItems of 0, or of more than there are however large', async () => {
    const byPath = reading('JSON', { MaxItemsPath: '$.max' });
    for (const max of [0, 100_000_000, 100_000_001])
      expect(await read('[1,2]', byPath, { max })).toMatchObject({ output: [1, 2] });
    expect(await read('[1,2]', reading('JSON', { MaxItems: 100_000_000 }))).toMatchObject({ output: [1, 2] });
  });

  test('fails within the Map Run for a negative MaxItemsPath, and before it for one that is no integer', async () => {
    const failed = async (max: unknown) => {
      const { result, events } = await run(reading('JSON', { MaxItemsPath: '$.max' }), {
        input: { key: 'items', max },
        objects: { 'bucket/items': '[1]' },
      });
      return { result, types: events.map(({ type }) => type) };
    };
    const negative = await failed(-1);
    expect(negative.result).toMatchObject({
      error: 'States.ItemReaderFailed',
      cause: 'field MaxItems must be positive',
    });
    expect(negative.types.slice(2)).toEqual([
      ...['MapStateStarted', 'MapRunStarted', 'MapRunFailed', 'MapStateFailed', 'ExecutionFailed'],
    ]);
    const fraction = await failed(1.5);
    expect(fraction.result).toMatchObject({
      error: 'States.Runtime',
      cause: `An error occurred while executing the state 'For each' (entered at the event id #2). The MaxItemsPath field refers to value "1.5" which is not a valid integer: $.max`,
    });
    expect(fraction.types.slice(2)).toEqual(['MapStateStarted', 'ExecutionFailed']);
  });

  test('leaves an ItemsPath beside it unread', async () => {
    const definition = distributedMap({ ...mapOf(reading('JSON')), ItemsPath: '$.nothing' });
    expect(await read('[1,2]', definition)).toMatchObject({ output: [1, 2] });
  });

  test('fails with the words of the service on JSON that is no array', async () => {
    expect(await read('{"a":1}', reading('JSON'))).toMatchObject({
      status: 'FAILED',
      error: 'States.ItemReaderFailed',
      cause: 'Attempting to map over non-iterable node.',
    });
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
