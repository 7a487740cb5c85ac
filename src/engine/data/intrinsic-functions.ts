import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { isJsonObject } from '../../core/text/json-value.ts';

type IntrinsicFunction = (args: readonly unknown[], scope: { random: () => number }) => unknown;

/** "You can specify an array of up to 1000 items" (developer guide, Intrinsic functions). */
const MAX_RANGE = 1000;
/** "the input data to hash … 10,000 characters" (the same page); Base64 alike. */
const MAX_TEXT = 10_000;
const HASH_ALGORITHMS = ['MD5', 'SHA-1', 'SHA-256', 'SHA-384', 'SHA-512'];

/** The 18 intrinsic functions of JSONPath state machines. They throw plain errors about their arguments. */
export const intrinsicFunctions = {
  'States.Format': (args) => format(args),
  'States.StringToJson': (args) => {
    const text = string(args, 0, 1);
    return text.trim() === '' ? null : JSON.parse(text);
  },
  'States.JsonToString': (args) => JSON.stringify(arity(args, 1)[0]),
  'States.Array': (args) => [...args],
  'States.ArrayPartition': (args) => {
    const items = array(args, 0, 2);
    const size = integer(args[1]);
    if (size < 1) throw new Error('the chunk size must be a positive integer');
    return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
      items.slice(index * size, (index + 1) * size),
    );
  },
  'States.ArrayContains': (args) => array(args, 0, 2).some((item) => isDeepStrictEqual(item, args[1])),
  'States.ArrayRange': (args) => {
    const [first, last, step] = arity(args, 3).map(integer) as [number, number, number];
    if (step === 0) throw new Error('the increment must not be zero');
    const length = Math.max(0, Math.floor((last - first) / step) + 1);
    if (length > MAX_RANGE) throw new Error(`the range has more than ${MAX_RANGE} items`);
    return Array.from({ length }, (_, index) => first + index * step);
  },
  'States.ArrayGetItem': (args) => {
    const items = array(args, 0, 2);
    const index = integer(args[1]);
    if (index < 0 || index >= items.length) throw new Error(`the index ${index} is not in the array`);
    return items[index];
  },
  'States.ArrayLength': (args) => array(args, 0, 1).length,
  'States.ArrayUnique': (args) => {
    const unique: unknown[] = [];
    for (const item of array(args, 0, 1))
      if (!unique.some((other) => isDeepStrictEqual(other, item))) unique.push(item);
    return unique;
  },
  'States.Base64Encode': (args) => Buffer.from(shortString(args, 1)).toString('base64'),
  'States.Base64Decode': (args) => Buffer.from(shortString(args, 1), 'base64').toString(),
  'States.Hash': (args) => {
    const [data, algorithm] = arity(args, 2);
    if (!HASH_ALGORITHMS.includes(String(algorithm)))
      throw new Error(`the algorithm must be one of ${HASH_ALGORITHMS.join(', ')}`);
    const text = typeof data === 'string' ? data : JSON.stringify(data);
    if (text.length > MAX_TEXT) throw new Error(`the data has more than ${MAX_TEXT} characters`);
    return createHash(String(algorithm).replace('-', '').toLowerCase()).update(text).digest('hex');
  },
  'States.JsonMerge': (args) => {
    const [first, second, deep] = arity(args, 3);
    if (!isJsonObject(first) || !isJsonObject(second))
      throw new Error('both values to merge must be JSON objects');
    if (deep !== false)
      throw new Error('only shallow merging is supported: the third argument must be false');
    return { ...first, ...second };
  },
  'States.MathRandom': (args, { random }) => {
    if (args.length !== 3) arity(args, 2);
    const start = integer(args[0]);
    const end = integer(args[1]);
    if (end <= start) throw new Error('the end must be greater than the start');
    const fraction = args.length === 3 ? seededFraction(integer(args[2])) : random();
    return start + Math.floor(fraction * (end - start));
  },
  'States.MathAdd': (args) => {
    const [first, second] = arity(args, 2).map(integer) as [number, number];
    return first + second;
  },
  'States.StringSplit': (args) => {
    const text = string(args, 0, 2);
    const separators = new Set(string(args, 1, 2));
    const parts = [''];
    for (const character of text)
      if (separators.has(character)) parts.push('');
      else parts[parts.length - 1] += character;
    return parts.filter((part) => part !== '');
  },
  'States.UUID': (args, { random }) => {
    arity(args, 0);
    return createUuid(random);
  },
} satisfies Record<string, IntrinsicFunction>;

/** A version 4 UUID. */
export function createUuid(random: () => number): string {
  return 'xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx'.replaceAll(/[xy]/g, (place) => {
    const digit = Math.floor(random() * 16);
    return (place === 'x' ? digit : (digit % 4) + 8).toString(16);
  });
}

function format(args: readonly unknown[]): string {
  const [template, ...values] = args;
  if (typeof template !== 'string') throw new Error('the template must be a string');
  let used = 0;
  const text = template.replaceAll(/\\(['{}\\])|\{\}/g, (_, escaped: string | undefined) => {
    if (escaped !== undefined) return escaped;
    const value = values[used];
    used += 1;
    return toJavaText(value);
  });
  if (used !== values.length)
    throw new Error(`the template has ${used} places "{}" for ${values.length} arguments`);
  return text;
}

/** How Step Functions writes a value into a text: `{a=1, b=[x, y]}`, without quotes. */
function toJavaText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return `[${value.map(toJavaText).join(', ')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const fields = Object.entries(value).map(([key, inner]) => `${key}=${toJavaText(inner)}`);
  return `{${fields.join(', ')}}`;
}

function arity(args: readonly unknown[], count: number): readonly unknown[] {
  if (args.length !== count) throw new Error(`it takes ${count} arguments and got ${args.length}`);
  return args;
}

function array(args: readonly unknown[], index: number, count: number): readonly unknown[] {
  const value = arity(args, count)[index];
  if (!Array.isArray(value)) throw new Error(`argument ${index + 1} must be an array`);
  return value;
}

function string(args: readonly unknown[], index: number, count: number): string {
  const value = arity(args, count)[index];
  if (typeof value !== 'string') throw new Error(`argument ${index + 1} must be a string`);
  return value;
}

function shortString(args: readonly unknown[], count: number): string {
  const value = string(args, 0, count);
  if (value.length > MAX_TEXT) throw new Error(`the data has more than ${MAX_TEXT} characters`);
  return value;
}

/** "If you specify a non-integer value … Step Functions will round it off to the nearest integer." */
function integer(value: unknown): number {
  if (typeof value !== 'number') throw new Error('a number is needed');
  return Math.round(value);
}

/** The same number for the same seed, as Step Functions promises; not the number that AWS would give. */
function seededFraction(seed: number): number {
  return createHash('sha256').update(String(seed)).digest().readUIntBE(0, 6) / 2 ** 48;
}
