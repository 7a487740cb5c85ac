import { prepareNumber } from '../data/number-field.ts';
import { compileTemplate } from '../data/payload-template.ts';
import type { ItemReader } from '../definition/amazon-states-language.ts';
import type { Visit } from '../definition/prepared-state.ts';
import { inField, stateErrorFrom } from '../state-error.ts';

/** Reads a Map's items from an object in S3. Anything wrong is States.ItemReaderFailed. */
export function prepareItemReader(
  reader: ItemReader,
): (data: unknown, visit: Visit) => Promise<readonly unknown[]> {
  const parameters = inField('ItemReader.Parameters', () => compileTemplate(reader.Parameters));
  const maxItems = inField('ItemReader.ReaderConfig', () => prepareNumber(reader.ReaderConfig, 'MaxItems'));
  const parse = reader.ReaderConfig.InputType === 'JSON' ? parseArray : parseLines;
  return async (data, visit) => {
    const { clock, objects, random } = visit.frame.deps;
    const { Bucket, Key } = parameters({ data, context: visit.context, random }) as Record<string, unknown>;
    // "If the value is zero, all items are read" is how Step Functions takes no limit at all.
    const limit = maxItems(data, visit) || Number.POSITIVE_INFINITY;
    try {
      if (typeof Bucket !== 'string' || typeof Key !== 'string')
        throw new Error('Bucket and Key must be strings');
      const bytes = await clock.busy(() => objects.getObject(Bucket, Key));
      return parse(new TextDecoder().decode(bytes), limit);
    } catch (error) {
      throw stateErrorFrom(error, {
        error: 'States.ItemReaderFailed',
        what: `Cannot read the items of s3://${Bucket}/${Key}`,
      });
    }
  };
}

function parseArray(text: string, limit: number): readonly unknown[] {
  const items: unknown = JSON.parse(text);
  if (!Array.isArray(items)) throw new Error('the object must hold a JSON array');
  return items.slice(0, limit);
}

function parseLines(text: string, limit: number): readonly unknown[] {
  const items: unknown[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (items.length >= limit) break;
    if (line.trim() !== '') items.push(parseLine(line, index + 1));
  }
  return items;
}

function parseLine(line: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new Error(`line ${number} is not JSON`, { cause: error });
  }
}
