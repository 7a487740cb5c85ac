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
/** Keywords that shape a value in ways that the service does not take. */
const SHAPING = [
  ...[
    'patternProperties',
    'propertyNames',
    'prefixItems',
    'contains',
    'dependentSchemas',
    'dependentRequired',
  ],
  ...['if', 'then', 'else', 'unevaluatedProperties', 'unevaluatedItems', '$dynamicRef', 'allOf'],
];

/**
 * The part of a schema that Bedrock takes: every property required, those that may be missing nullable, no others allowed,
 * and no bounds. The answer is checked against the whole schema afterwards. `unsent` where its shape cannot be put so.
 */
export function sentSchemaOf(schema: AnswerSchema): SentSchema {
  try {
    return { kind: 'sent', schema: sentPart(schema, '') };
  } catch (error) {
    if (!(error instanceof UnsentPart)) throw error;
    return { kind: 'unsent', why: error.message };
  }
}

/** What ends the walk through a schema that cannot be sent; it never leaves this file. */
class UnsentPart extends Error {}

function sentPart(schema: unknown, path: string): JsonSchema {
  const at = path === '' ? 'the schema' : path;
  if (!isJsonObject(schema)) throw new UnsentPart(`${at} allows anything`);
  const shaping = SHAPING.find((keyword) => keyword in schema);
  if (shaping !== undefined) throw new UnsentPart(`${at} has ${shaping}`);
  if ('$ref' in schema || '$defs' in schema) throw new UnsentPart(`${at} has references`);
  const { oneOf, anyOf = oneOf, type, items, properties, required, description, format, ...others } = schema;
  const kept = Object.fromEntries(
    Object.entries(others).filter(([key]) => key === 'enum' || key === 'const'),
  );
  requireKnown(others, at);
  const types = Array.isArray(type) ? type : [type];
  return {
    ...(type === undefined ? {} : { type }),
    ...kept,
    ...descriptionOf(description, others),
    ...(typeof format === 'string' && FORMATS.includes(format) ? { format } : {}),
    ...(Array.isArray(anyOf) ? { anyOf: anyOf.map((part) => sentPart(part, path)) } : {}),
    ...(types.includes('array') ? { items: sentPart(items, `${path}[]`) } : {}),
    ...(types.includes('object') ? sentObject({ properties, required, others }, path) : {}),
    ...(type === undefined && Object.keys(kept).length === 0 && !Array.isArray(anyOf) ? anything(at) : {}),
  };
}

function anything(at: string): never {
  throw new UnsentPart(`${at} allows anything`);
}

function requireKnown(others: Record<string, unknown>, at: string): void {
  const known = [...NARROWING, ...LEFT_OUT, 'enum', 'const', 'additionalProperties'];
  const unknown = Object.keys(others).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new UnsentPart(`${at} has ${unknown}`);
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
): JsonSchema {
  if (!isJsonObject(properties) || isJsonObject(others.additionalProperties)) {
    throw new UnsentPart(`${path === '' ? 'the schema' : path} is an object of any keys`);
  }
  const names: readonly unknown[] = Array.isArray(required) ? required : [];
  return {
    properties: Object.fromEntries(
      Object.entries(properties).map(([name, schema]) => {
        const sent = sentPart(schema, path === '' ? name : `${path}.${name}`);
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
  if ('anyOf' in schema || 'const' in schema || (type === undefined && values === undefined)) {
    return { anyOf: [schema, { type: 'null' }] };
  }
  const types = Array.isArray(type) ? type : [type];
  return {
    ...schema,
    ...(type === undefined || types.includes('null') ? {} : { type: [...types, 'null'] }),
    ...(Array.isArray(values) && !values.includes(null) ? { enum: [...values, null] } : {}),
  };
}
