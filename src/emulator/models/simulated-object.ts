import type { JsonSchema } from '../../core/run-input/output-schema.ts';
import { createRandom } from '../faults/seeded-random.ts';

/** Items of a list whose schema does not say how many. */
const MOST_ITEMS = 3;

/** A plausible value of a JSON Schema, as a simulated model answers it: a pure function of schema and seed. */
export function simulatedObject(schema: JsonSchema, seed: number): unknown {
  return simulatedValue(schema, createRandom(seed));
}

function simulatedValue(schema: JsonSchema, random: () => number): unknown {
  if ('const' in schema) return schema.const;
  if (Array.isArray(schema.enum)) return schema.enum[Math.floor(random() * schema.enum.length)];
  const types = Array.isArray(schema.type) ? schema.type : [schema.type ?? 'string'];
  const type = types[Math.floor(random() * types.length)];
  switch (type) {
    case 'object':
      return objectOf(schema, random);
    case 'array': {
      const items = isObject(schema.items) ? schema.items : { type: 'string' };
      const length = numberOr(schema.minItems, 0) + Math.floor(random() * MOST_ITEMS);
      return Array.from({ length }, () => simulatedValue(items, random));
    }
    case 'integer':
      return Math.round(between(schema, random));
    case 'number':
      return between(schema, random);
    case 'boolean':
      return random() < 0.5;
    case 'null':
      return null;
    default:
      return `simulated ${Math.floor(random() * 1000)}`;
  }
}

function objectOf({ properties }: JsonSchema, random: () => number): Record<string, unknown> {
  const entries = isObject(properties) ? Object.entries(properties) : [];
  return Object.fromEntries(
    entries.map(([name, schema]) => [name, simulatedValue(isObject(schema) ? schema : {}, random)]),
  );
}

/** With two decimals, where these are within the bounds; a schema that may not have bounds tells them in its description. */
function between({ minimum, maximum, description }: JsonSchema, random: () => number): number {
  const told = (bound: string) => {
    const found = new RegExp(`${bound} (-?[\\d.]*\\d)`).exec(String(description ?? ''))?.[1];
    return found === undefined ? undefined : Number(found);
  };
  const least = numberOr(minimum ?? told('minimum'), 0);
  const most = numberOr(maximum ?? told('maximum'), least + 100);
  const value = least + random() * (most - least);
  return Math.min(most, Math.max(least, Math.round(value * 100) / 100));
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}

function isObject(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
