import type { ValidateFunction } from 'ajv/dist/2020.js';
import { InvalidRunInputError } from '../../core/errors.ts';
import { SCHEMA_VIOLATION, TRUNCATED_ANSWER, TRUNCATED_STOP_REASONS } from '../../core/jobs/retry-policy.ts';
import { type AnswerSchema, propertyTypeOf } from '../../core/run-input/output-schema.ts';
import { privately } from '../../core/text/private-text.ts';
import { findObject } from './mend-json.ts';

/** What an answer says as an object of a schema: its values, in the order of the properties, or why it has none. */
export type TypedAnswer =
  | { kind: 'typed'; values: unknown[]; isMended: boolean }
  | {
      kind: 'violation';
      errorCode: string;
      errorMessage: string;
      /** The properties that are wrong, each once; none where the answer has no object at all. */
      properties: readonly string[];
    };

/** Reads answers as objects of one schema. */
export type TypedReader = (answer: string, stopReason: string | null) => TypedAnswer;

/** Characters of a validator's message in a row's message, and of the bad answer. */
const MESSAGE_LENGTH = 400;
/** Faults that a message names. */
const NAMED_FAULTS = 3;

/** Makes the reader of a schema; InvalidRunInputError where it is not a sound JSON Schema. */
export async function createTypedReader(schema: AnswerSchema): Promise<TypedReader> {
  const validate = await compile(schema);
  const properties = Object.entries(schema.properties).map(([name, property]) => ({
    name,
    type: propertyTypeOf(property),
    isOptional: schema.required?.includes(name) !== true,
  }));
  const optional = properties.filter(({ isOptional }) => isOptional);
  const withNumbers = properties.flatMap((property, index) =>
    /DOUBLE|BIGINT/.test(property.type) ? [{ ...property, index }] : [],
  );
  return (answer, stopReason) => {
    const found = findObject(answer);
    if (found === undefined) return withoutObject(answer, stopReason);
    const { object, isMended } = found;
    for (const { name } of optional) {
      // A model that is to leave a value out says null as well.
      if (object[name] === null) delete object[name];
    }
    if (!validate(object)) return violation(faultsOf(validate), answer, propertiesAtFault(validate));
    const values = properties.map(({ name, type }) => columnValue(object[name], type));
    const strange = withNumbers.find(({ type, index }) => !fits(values[index], type));
    if (strange !== undefined)
      return violation(`${strange.name} has a number that a column cannot have`, answer, [strange.name]);
    return { kind: 'typed', values, isMended };
  };
}

/** Throws InvalidRunInputError where a schema is not a sound JSON Schema. */
export async function requireSoundSchema(schema: AnswerSchema): Promise<void> {
  await compile(schema);
}

async function compile(schema: AnswerSchema): Promise<ValidateFunction> {
  // Most runs have no schema, and every command would load it.
  const { Ajv2020 } = await import('ajv/dist/2020.js');
  try {
    return new Ajv2020({ strict: false, allErrors: true, validateFormats: false, logger: false }).compile(
      schema,
    );
  } catch (error) {
    throw new InvalidRunInputError(
      `output_schema is not a valid JSON Schema: ${privately((error as Error).message)}`,
      {
        cause: error,
      },
    );
  }
}

function withoutObject(answer: string, stopReason: string | null): TypedAnswer {
  if (TRUNCATED_STOP_REASONS.includes(stopReason?.toLowerCase() ?? '')) {
    return {
      kind: 'violation',
      properties: [],
      errorCode: TRUNCATED_ANSWER,
      errorMessage: `The answer was cut off (${stopReason}) before its JSON object was whole. Raise inference_parameters.max_tokens.`,
    };
  }
  return answer.trim() === '' ? violation('it is empty') : violation('it has no JSON object in it', answer);
}

const VIOLATION_BEGINS = 'The answer does not match output_schema: ';
const QUOTE_BEGINS = '. It says: ';

function violation(why: string, answer?: string, properties: readonly string[] = []): TypedAnswer {
  const fault = why.slice(0, MESSAGE_LENGTH).toWellFormed();
  const said = answer === undefined ? '.' : `${QUOTE_BEGINS}${quoted(answer)}`;
  const errorMessage = `${VIOLATION_BEGINS}${fault}${said}`;
  return { kind: 'violation', errorCode: SCHEMA_VIOLATION, errorMessage, properties };
}

/** What was wrong with an answer, by the message of its row. */
export function faultOfViolation(message: string): string {
  const fault = message.startsWith(VIOLATION_BEGINS) ? message.slice(VIOLATION_BEGINS.length) : message;
  const end = fault.indexOf(QUOTE_BEGINS);
  return end === -1 ? fault.replace(/\.$/, '') : fault.slice(0, end);
}

/** How an answer begins, safe to print. */
function quoted(answer: string): string {
  const beginning = answer
    .slice(0, MESSAGE_LENGTH)
    .toWellFormed()
    .replace(/\p{C}+/gu, ' ');
  return answer.length > MESSAGE_LENGTH ? `${beginning}…` : beginning;
}

/** Which of the answer's own properties are wrong, or missing. */
function propertiesAtFault({ errors }: ValidateFunction): string[] {
  const names = (errors ?? []).map(({ instancePath, params }) => {
    const [, name] = instancePath.split('/');
    return name === undefined
      ? String(params.missingProperty ?? params.additionalProperty ?? '')
      : name.replaceAll('~1', '/').replaceAll('~0', '~');
  });
  return [...new Set(names.filter((name) => name !== ''))];
}

function faultsOf({ errors }: ValidateFunction): string {
  const faults = (errors ?? []).map(({ instancePath, message, params }) => {
    const at = instancePath.slice(1).replaceAll('/', '.');
    const allowed = Array.isArray(params.allowedValues) ? `: ${params.allowedValues.join(', ')}` : '';
    return `${at} ${message}${allowed}`.trim();
  });
  const more = faults.length > NAMED_FAULTS ? `; and ${faults.length - NAMED_FAULTS} more` : '';
  return `${faults.slice(0, NAMED_FAULTS).join('; ')}${more}`;
}

/** A value as its column has it; one of several kinds as its JSON. */
function columnValue(value: unknown, type: string): unknown {
  if (value === undefined || value === null) return null;
  return type === 'JSON' ? JSON.stringify(value) : value;
}

/** False where a number is beyond what a column of this type has: JSON's own have no end. */
function fits(value: unknown, type: string): boolean {
  if (typeof value === 'number') {
    const isExact = !type.includes('BIGINT') || !Number.isInteger(value) || Number.isSafeInteger(value);
    return Number.isFinite(value) && isExact;
  }
  if (typeof value !== 'object' || value === null) return true;
  return Object.values(value).every((inner) => fits(inner, type));
}
