import { isJsonObject } from '../text/json-value.ts';
import type { AnswerSchema, JsonSchema } from './output-schema.ts';

/** A schema as Bedrock takes it in a field of a request, or why it cannot be put so. */
export type SentSchema = { kind: 'sent'; schema: JsonSchema } | { kind: 'unsent'; why: string };

/** Formats of strings that are sent: https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html */
const FORMATS = ['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'uri', 'ipv4', 'ipv6', 'uuid'];
/** Keywords that only narrow a value: not sent, but told in its description and checked in the answer. */
const NARROWING = [
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  ...['minLength', 'maxLength', 'pattern', 'minItems', 'maxItems', 'uniqueItems'],
];
/** Keywords that only tell of a value, and those that the answer is checked by alone. */
const LEFT_OUT = [
  '$schema',
  '$id',
  '$comment',
  'title',
  'default',
  'examples',
  'not',
  'deprecated',
  'readOnly',
];
/** Keywords that say what a value is: one at least. */
const SAYING = ['type', 'enum', 'const', 'anyOf'];
/** Any other shapes a value in ways that the service does not take, or is nobody's. */
const KNOWN = [...NARROWING, ...LEFT_OUT, ...SAYING, 'additionalProperties'];

/**
 * The part of a schema that Bedrock takes: every property required, those that may be missing nullable, no others allowed,
 * and no bounds. The answer is checked against the whole schema afterwards. `unsent` where its shape cannot be put so.
 */
export function sentSchemaOf(schema: AnswerSchema): SentSchema {
  const faults: string[] = [];
  const sent = sentPart(schema, '', (why) => void faults.push(why));
  const [why] = faults;
  return why === undefined ? { kind: 'sent', schema: sent } : { kind: 'unsent', why };
}

/** Notes what of a schema cannot be sent. */
type Note = (why: string) => void;

function sentPart(schema: unknown, path: string, note: Note): JsonSchema {
  const at = path === '' ? 'the schema' : path;
  if (!isJsonObject(schema)) {
    note(`${at} allows anything`);
    return {};
  }
  const { oneOf, anyOf = oneOf, type, items, properties, required, description, format, ...others } = schema;
  const fault = faultOf({
    ...others,
    ...(anyOf === undefined ? {} : { anyOf }),
    ...(type === undefined ? {} : { type }),
  });
  if (fault !== undefined) note(`${at} ${fault}`);
  const kept = Object.entries(others).filter(([key]) => key === 'enum' || key === 'const');
  const types = Array.isArray(type) ? type : [type];
  return {
    ...(type === undefined ? {} : { type }),
    ...Object.fromEntries(kept),
    ...descriptionOf(description, others),
    ...(typeof format === 'string' && FORMATS.includes(format) ? { format } : {}),
    ...(Array.isArray(anyOf) ? { anyOf: anyOf.map((part) => sentPart(part, path, note)) } : {}),
    ...(types.includes('array') ? { items: sentPart(items, `${path}[]`, note) } : {}),
    ...(types.includes('object') ? sentObject({ properties, required, others }, path, note) : {}),
  };
}

/** Why a part of a schema cannot be sent, as the end of a sentence; undefined where it can. */
function faultOf(schema: Record<string, unknown>): string | undefined {
  if ('$ref' in schema || '$defs' in schema) return 'has references';
  const unknown = Object.keys(schema).find((key) => !KNOWN.includes(key));
  if (unknown !== undefined) return `has ${unknown}`;
  return SAYING.some((key) => key in schema) ? undefined : 'allows anything';
}

/** The description, with the bounds that are not sent as such: a model that is not told them breaks them. */
function descriptionOf(description: unknown, others: Record<string, unknown>): JsonSchema {
  const bounds = NARROWING.filter((keyword) => keyword in others).map(
    (keyword) => `${keyword} ${String(others[keyword])}`,
  );
  const told = [
    ...(typeof description === 'string' ? [description] : []),
    ...(bounds.length === 0 ? [] : [`(${bounds.join(', ')})`]),
  ];
  return told.length === 0 ? {} : { description: told.join(' ') };
}

function sentObject(
  {
    properties,
    required,
    others,
  }: { properties: unknown; required: unknown; others: Record<string, unknown> },
  path: string,
  note: Note,
): JsonSchema {
  if (!isJsonObject(properties) || isJsonObject(others.additionalProperties)) {
    note(`${path === '' ? 'the schema' : path} is an object of any keys`);
    return {};
  }
  const names: readonly unknown[] = Array.isArray(required) ? required : [];
  return {
    properties: Object.fromEntries(
      Object.entries(properties).map(([name, schema]) => {
        const sent = sentPart(schema, path === '' ? name : `${path}.${name}`, note);
        return [name, names.includes(name) ? sent : nullable(sent)];
      }),
    ),
    required: Object.keys(properties),
    additionalProperties: false,
  };
}

/** The same, or null: what a property that may be missing says instead, as all of them are required. */
function nullable(schema: JsonSchema): JsonSchema {
  const { type, enum: values } = schema;
  if ('anyOf' in schema || 'const' in schema) {
    return { anyOf: [schema, { type: 'null' }] };
  }
  const types = Array.isArray(type) ? type : [type];
  return {
    ...schema,
    ...(type === undefined || types.includes('null') ? {} : { type: [...types, 'null'] }),
    ...(Array.isArray(values) && !values.includes(null) ? { enum: [...values, null] } : {}),
  };
}
