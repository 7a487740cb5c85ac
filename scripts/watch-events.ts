import { z } from 'zod';
import { WATCH_EVENTS } from '../src/quarry/watch/watch-event.ts';
import { table } from './markdown.ts';

/** The part of a JSON Schema that says what a value may be. */
interface FieldSchema {
  type?: string | readonly string[];
  title?: string;
  description?: string;
  const?: unknown;
  enum?: readonly unknown[];
  anyOf?: readonly FieldSchema[];
  items?: FieldSchema;
  properties?: Record<string, FieldSchema>;
  additionalProperties?: FieldSchema | boolean;
}

/** Fields that every event has: said once, above the tables. */
const COMMON = ['event', 'at', 'run_id'];

/** Every event of `quarry watch --json` with its fields, as the schema has them, in Markdown. */
export function renderWatchEvents(): string {
  return WATCH_EVENTS.map((event) => {
    const { title = '', properties = {} } = z.toJSONSchema(event) as FieldSchema;
    const fields = Object.entries(properties).filter(([name]) => !COMMON.includes(name));
    const rows = fields.flatMap(([name, schema]) => rowsOf(name, schema));
    return `### \`${properties.event?.const}\`\n\n${title}\n\n${table(['field', 'is', ''], rows)}`;
  }).join('\n\n');
}

/** A row for the field and one for each field within it. */
function rowsOf(name: string, schema: FieldSchema): string[][] {
  const inner = withoutNull(schema);
  const list = inner.items;
  const members = Object.entries((list ?? inner).properties ?? {});
  const prefix = list === undefined ? name : `${name}[]`;
  return [
    [`\`${name}\``, typeText(schema), schema.description ?? ''],
    ...members.flatMap(([key, member]) => rowsOf(`${prefix}.${key}`, member)),
  ];
}

function withoutNull(schema: FieldSchema): FieldSchema {
  return schema.anyOf?.find(({ type }) => type !== 'null') ?? schema;
}

function typeText(schema: FieldSchema): string {
  const inner = withoutNull(schema);
  const text =
    inner.enum?.map((value) => `\`${value}\``).join(', ') ?? [inner.type ?? ''].flat().join(' or ');
  return schema.anyOf === undefined ? text : `${text} or null`;
}
