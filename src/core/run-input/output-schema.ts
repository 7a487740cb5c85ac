import { z } from 'zod';
import { InvalidRunInputError } from '../errors.ts';

/** A JSON Schema, Draft 2020-12. */
export type JsonSchema = { readonly [key: string]: unknown };

/** The schema of an answer: an object, whose properties become columns. */
export interface AnswerSchema {
  readonly type: 'object';
  readonly properties: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly [key: string]: unknown;
}

/** How a model is told the schema of its answers: by a field of the request that holds it to it, or in the prompt. */
export const SchemaForm = z.enum(['native', 'prompt']);
export type SchemaForm = z.infer<typeof SchemaForm>;

const SIMPLE_TYPES = ['string', 'number', 'integer', 'boolean'];
/** `number 0..1?`, `string[]`: a type, a range, a list, and that there may be none. */
const SHORT_TYPE =
  /^(?<type>string|number|integer|boolean)(?: +(?<min>-?[\d.]+)\.\.(?<max>-?[\d.]+))?(?<list>\[\])?(?<optional>\?)?$/;

/**
 * The JSON Schema that `output_schema` stands for: itself, or what its short form says, in which each value is a type.
 * Throws InvalidRunInputError where it is neither, or has properties that cannot be columns.
 */
export function answerSchemaOf(given: JsonSchema): AnswerSchema {
  const schema = isJsonSchema(given) ? given : compileShortForm(given, 'output_schema');
  const names = Object.keys(schema.properties);
  if (names.length === 0) throw new InvalidRunInputError('output_schema: it has no properties.');
  const lower = names.map((name) => name.toLowerCase());
  const twice = names.find((name, index) => lower.indexOf(name.toLowerCase()) !== index);
  if (twice !== undefined) {
    throw new InvalidRunInputError(
      `output_schema: "${twice}" is there twice but for capitals, which columns do not tell apart. Rename one.`,
    );
  }
  return schema;
}

/** An object schema has its properties as an object; in the short form a property of that name would have a text. */
function isJsonSchema(given: JsonSchema): given is AnswerSchema {
  if (given.type === 'object' && isObject(given.properties)) {
    const strange = Object.entries(given.properties).find(([, schema]) => !isObject(schema));
    if (strange === undefined) return true;
    throw new InvalidRunInputError(`output_schema.properties.${strange[0]}: it is not a JSON Schema.`);
  }
  if (['$schema', 'properties', 'anyOf', 'oneOf', '$ref'].some((key) => isObject(given[key]))) {
    throw new InvalidRunInputError(
      'output_schema: the answer is one object. Give {"type": "object", "properties": {…}}, or the short form.',
    );
  }
  return false;
}

function compileShortForm(given: JsonSchema, path: string): AnswerSchema {
  const properties = Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name, compileValue(value, `${path}.${name}`)]),
  );
  const required = Object.entries(given)
    .filter(([, value]) => !(typeof value === 'string' && value.trim().endsWith('?')))
    .map(([name]) => name);
  return { type: 'object', properties, required };
}

function compileValue(value: unknown, path: string): JsonSchema {
  if (isObject(value)) return compileShortForm(value, path);
  if (typeof value !== 'string') throw new InvalidRunInputError(`${path}: ${SHORT_FORM}`);
  const text = value.trim();
  if (text.includes('|')) return compileChoice(text, path);
  const { type, min, max, list, optional } = SHORT_TYPE.exec(text)?.groups ?? {};
  if (type === undefined) throw new InvalidRunInputError(`${path}: "${value}" is no type. ${SHORT_FORM}`);
  const range = min === undefined || max === undefined ? {} : rangeOf(type, { min, max }, path);
  const nullable = (name: string) => (optional === undefined ? name : [name, 'null']);
  return list === undefined
    ? { type: nullable(type), ...range }
    : { type: nullable('array'), items: { type, ...range } };
}

function compileChoice(text: string, path: string): JsonSchema {
  const isOptional = text.endsWith('?');
  const words = (isOptional ? text.slice(0, -1) : text).split('|').map((word) => word.trim());
  if (words.some((word) => word === '')) {
    throw new InvalidRunInputError(`${path}: a choice needs a word on each side of every "|".`);
  }
  return isOptional ? { type: ['string', 'null'], enum: [...words, null] } : { type: 'string', enum: words };
}

function rangeOf(type: string, { min, max }: { min: string; max: string }, path: string): JsonSchema {
  const [minimum, maximum] = [Number(min), Number(max)];
  if (!(type === 'number' || type === 'integer') || !(minimum <= maximum)) {
    throw new InvalidRunInputError(
      `${path}: a range needs number or integer, and the smaller end first: "number 0..1".`,
    );
  }
  return { minimum, maximum };
}

const SHORT_FORM = `Write ${SIMPLE_TYPES.join(', ')}, a range as in "number 0..1", a choice as in "yes | no", "[]" for a list, and "?" at the end if the value may be missing.`;

/** What a property's values are as a column: a type of DuckDB; `JSON` where its schema allows several kinds of value. */
export type PropertyType = string;

/** The type of a property's column. */
export function propertyTypeOf(schema: JsonSchema): PropertyType {
  const types = typesOf(schema).filter((type) => type !== 'null');
  const [type] = types;
  if (types.length !== 1) return 'JSON';
  switch (type) {
    case 'string':
      return 'VARCHAR';
    case 'number':
      return 'DOUBLE';
    case 'integer':
      return 'BIGINT';
    case 'boolean':
      return 'BOOLEAN';
    case 'array': {
      const items = isObject(schema.items) ? propertyTypeOf(schema.items) : 'JSON';
      return items === 'JSON' ? 'JSON' : `${items}[]`;
    }
    case 'object':
      return structTypeOf(schema);
    default:
      return 'JSON';
  }
}

function structTypeOf({ properties }: JsonSchema): PropertyType {
  if (!isObject(properties) || Object.keys(properties).length === 0) return 'JSON';
  const fields = Object.entries(properties).map(([name, schema]): [string, string] => [
    name,
    isObject(schema) ? propertyTypeOf(schema) : 'JSON',
  ]);
  const names = new Set(fields.map(([name]) => name.toLowerCase()));
  if (names.size < fields.length || fields.some(([, type]) => type === 'JSON')) return 'JSON';
  return `STRUCT(${fields.map(([name, type]) => `"${name.replaceAll('"', '""')}" ${type}`).join(', ')})`;
}

function typesOf(schema: JsonSchema): string[] {
  if (typeof schema.type === 'string') return [schema.type];
  if (Array.isArray(schema.type)) return schema.type.map(String);
  const values = 'const' in schema ? [schema.const] : Array.isArray(schema.enum) ? schema.enum : undefined;
  return values === undefined ? [] : [...new Set(values.map(typeOfValue))];
}

function typeOfValue(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value;
}

/** What stands before the schema in a prompt that asks for an answer of it. */
const INSTRUCTION =
  'Answer with one JSON object and nothing else, no text around it and no code fence. This JSON Schema describes it:';

/** What is added to a prompt, so that the model answers with an object of the schema. */
export function schemaInstruction(schema: AnswerSchema): string {
  return `\n\n${INSTRUCTION}\n${JSON.stringify(schema)}`;
}

/** The schema that a prompt asks for an answer of, as `schemaInstruction` put it there; undefined where it asks for none. */
export function schemaInPrompt(prompt: string): AnswerSchema | undefined {
  const start = prompt.lastIndexOf(`${INSTRUCTION}\n`);
  if (start < 0) return undefined;
  try {
    return JSON.parse(prompt.slice(start + INSTRUCTION.length + 1)) as AnswerSchema;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
