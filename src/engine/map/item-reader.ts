import { prepareInteger } from '../data/number-field.ts';
import { compileTemplate } from '../data/payload-template.ts';
import type { ItemReader } from '../definition/amazon-states-language.ts';
import { scopeOf, type Visit } from '../definition/prepared-state.ts';
import { inField, StateError, stateErrorFrom } from '../state-error.ts';

const FAILED = 'States.ItemReaderFailed';

/** Reads the items, within the Map Run. */
export type ReadItems = () => Promise<readonly unknown[]>;

/** Makes ready to read a Map's items from an object in S3. Anything wrong while reading is States.ItemReaderFailed. */
export function prepareItemReader(reader: ItemReader): (data: unknown, visit: Visit) => ReadItems {
  const parameters = inField('ItemReader.Parameters', () => compileTemplate(reader.Parameters));
  const maxItems = inField('ItemReader.ReaderConfig', () => prepareInteger(reader.ReaderConfig, 'MaxItems'));
  const parse = reader.ReaderConfig.InputType === 'JSON' ? parseArray : parseLines;
  return (data, visit) => {
    const limit = maxItems(data, visit) ?? 0;
    return async () => {
      if (limit < 0) throw new StateError(FAILED, 'field MaxItems must be positive');
      const text = await readObject(parameters(scopeOf(data, visit)), visit);
      // "If the value is zero, all items are read" is how Step Functions takes no limit at all.
      return parse(text, limit || Number.POSITIVE_INFINITY);
    };
  };
}

async function readObject(parameters: unknown, { frame }: Visit): Promise<{ text: string; uri: string }> {
  const { clock, objects } = frame.deps;
  const { Bucket, Key } = parameters as Record<string, unknown>;
  const uri = `s3://${Bucket}/${Key}`;
  try {
    if (typeof Bucket !== 'string' || typeof Key !== 'string')
      throw new Error('Bucket and Key must be strings');
    const bytes = await clock.busy(() => objects.getObject(Bucket, Key));
    return { text: new TextDecoder().decode(bytes), uri };
  } catch (error) {
    throw unreadable(uri, error);
  }
}

function parseArray({ text, uri }: { text: string; uri: string }, limit: number): readonly unknown[] {
  const items = parseJson(text, uri);
  if (!Array.isArray(items)) throw new StateError(FAILED, 'Attempting to map over non-iterable node.');
  return items.slice(0, limit);
}

function parseJson(text: string, uri: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw unreadable(uri, error);
  }
}

function parseLines({ text, uri }: { text: string; uri: string }, limit: number): readonly unknown[] {
  const items: unknown[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (items.length >= limit) break;
    if (line.trim() !== '') items.push(parseLine(line, { number: index + 1, uri }));
  }
  return items;
}

function parseLine(line: string, { number, uri }: { number: number; uri: string }): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw unreadable(uri, new Error(`line ${number} is not JSON`, { cause: error }));
  }
}

function unreadable(uri: string, error: unknown): StateError {
  return stateErrorFrom(error, { error: FAILED, what: `Cannot read the items of ${uri}` });
}
