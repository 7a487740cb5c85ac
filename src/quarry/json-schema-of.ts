import { z } from 'zod';
import { InvalidRunInputError } from '../core/errors.ts';
import type { StandardSchema } from './results/answer-types.ts';

/** Its name of JSON Schemas of this version. https://standardschema.dev/json-schema */
const TARGET = 'draft-2020-12';

/**
 * The `output_schema` that a schema of a library stands for; anything else is given back as it is. It is of what the model is to
 * write, before any transform. The schema is known by what it has, so that it may be of the user's own copy of its library.
 * Throws InvalidRunInputError where it does not tell its JSON Schema.
 */
export function jsonSchemaOf(schema: unknown): unknown {
  if (!isStandardSchema(schema)) return schema;
  const { vendor, jsonSchema } = schema['~standard'] as { vendor: string; jsonSchema?: unknown };
  let told: unknown;
  try {
    if (isTelling(jsonSchema)) told = jsonSchema.input({ target: TARGET });
    else if ('_zod' in schema) told = z.toJSONSchema(schema as unknown as z.ZodType, { io: 'input' });
  } catch (error) {
    throw new InvalidRunInputError(
      `outputSchema has something that JSON Schema cannot say: ${(error as Error).message}`,
      { cause: error },
    );
  }
  if (typeof told !== 'object' || told === null) {
    throw new InvalidRunInputError(
      `outputSchema is a schema of "${vendor}" that does not tell its JSON Schema. Give one of zod 4, or the JSON Schema itself.`,
    );
  }
  if (!('properties' in told)) {
    throw new InvalidRunInputError(
      'outputSchema: the answer is one object, like z.object({ label: z.string() }).',
    );
  }
  const { $schema: _, ...plain } = told as Record<string, unknown>;
  return structuredClone(plain);
}

function isStandardSchema(schema: unknown): schema is StandardSchema {
  const isObject = (typeof schema === 'object' && schema !== null) || typeof schema === 'function';
  return isObject && '~standard' in schema;
}

function isTelling(value: unknown): value is { input(options: { target: string }): unknown } {
  return typeof value === 'object' && value !== null && 'input' in value;
}
