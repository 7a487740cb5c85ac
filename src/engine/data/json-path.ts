import { compile as compileQuery, JSONPathError, type JSONValue } from 'json-p3';
import { InvalidDefinitionError, StateError } from '../state-error.ts';

/** What a path or an intrinsic function may look at: the state's data (`$`) and the context object (`$$`). */
export interface Scope {
  data: unknown;
  context: unknown;
  /** In [0, 1). */
  random: () => number;
}

/** What a path gives that leads nowhere. */
export const NO_MATCH = Symbol('no match');

/** A parsed path. */
export interface JsonPath {
  text: string;
  /** True for `$$…`. */
  ofContext: boolean;
  /** Names and indices, where the path leads to one place at most; undefined for wildcards, slices and filters. */
  segments: readonly (string | number)[] | undefined;
  /**
   * The value there, or NO_MATCH. A path that may lead to many places gives the array of them, which may be
   * empty.
   */
  find(scope: Scope): unknown;
}

const SEGMENT = /\.([^.[\]()'"*?,:@$\s&|=<>!]+)|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]|\[(-?\d+)\]/y;

/** Parses a path once, for any number of evaluations. */
export function compilePath(text: string): JsonPath {
  const ofContext = text.startsWith('$$');
  if (!text.startsWith('$'))
    throw new InvalidDefinitionError(`"${text}" is not a path: it must begin with "$"`);
  const body = text.slice(ofContext ? 2 : 1);
  const segments = readSegments(body);
  if (ofContext && segments?.[0] === 'Task')
    throw new InvalidDefinitionError(`"${text}": task tokens are not supported by the embedded engine`);
  const within =
    segments === undefined ? queryFinder(text, body) : (root: unknown) => findSegments(root, segments);
  return {
    text,
    ofContext,
    segments,
    find: (scope) => within(ofContext ? scope.context : scope.data),
  };
}

/** Parses a reference path: one that leads to exactly one place of the state's data. */
export function compileReferencePath(text: string): JsonPath & { segments: readonly (string | number)[] } {
  const path = compilePath(text);
  if (path.segments === undefined || path.ofContext)
    throw new InvalidDefinitionError(`"${text}" is not a reference path: only names and indices are allowed`);
  return { ...path, segments: path.segments };
}

/** A copy of `root` with `value` at the place; missing objects on the way are made. */
export function setAtPath(root: unknown, segments: readonly (string | number)[], value: unknown): unknown {
  const [first, ...rest] = segments;
  if (first === undefined) return value;
  if (typeof first === 'number') {
    if (!Array.isArray(root) || first < 0 || first >= root.length) throw cannotApply(root);
    return root.with(first, setAtPath(root[first], rest, value));
  }
  if (root !== undefined && !isObject(root)) throw cannotApply(root);
  const inner = root !== undefined && Object.hasOwn(root, first) ? root[first] : undefined;
  return { ...root, [first]: setAtPath(inner, rest, value) };
}

/** True for a JSON object: neither an array nor null. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function cannotApply(root: unknown): StateError {
  return new StateError(
    'States.ResultPathMatchFailure',
    `Unable to apply ResultPath: there is ${Array.isArray(root) ? 'no such array element' : 'a value that is no object'} on its way`,
  );
}

/** Undefined where the path is more than names and indices. */
function readSegments(body: string): (string | number)[] | undefined {
  const segments: (string | number)[] = [];
  SEGMENT.lastIndex = 0;
  while (SEGMENT.lastIndex < body.length) {
    const match = SEGMENT.exec(body);
    if (match === null) return undefined;
    const [, name, single, double, index] = match;
    segments.push(index === undefined ? (name ?? unescapeName(single ?? double ?? '')) : Number(index));
  }
  return segments;
}

function unescapeName(text: string): string {
  return text.replaceAll(/\\(.)/g, '$1');
}

function findSegments(root: unknown, segments: readonly (string | number)[]): unknown {
  let value = root;
  for (const segment of segments) {
    if (typeof segment === 'number') {
      if (!Array.isArray(value)) return NO_MATCH;
      const index = segment < 0 ? value.length + segment : segment;
      if (index < 0 || index >= value.length) return NO_MATCH;
      value = value[index];
    } else {
      if (!isObject(value) || !Object.hasOwn(value, segment)) return NO_MATCH;
      value = value[segment];
    }
  }
  return value;
}

function queryFinder(text: string, body: string): (root: unknown) => unknown {
  try {
    const query = compileQuery(`$${body}`);
    return (root) => query.query(root as JSONValue).values();
  } catch (error) {
    if (!(error instanceof JSONPathError)) throw error;
    throw new InvalidDefinitionError(`"${text}" is not a path: ${error.message}`, { cause: error });
  }
}
