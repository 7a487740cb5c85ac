import { JSONPathEnvironment, JSONPathError, type JSONValue, jsonpath } from 'json-p3';
import { isJsonObject } from '../../core/text/json-value.ts';
import { InvalidDefinitionError, StateError, stateErrorFrom } from '../state-error.ts';

/** What a path or an intrinsic function may look at: the state's data (`$`) and the context object (`$$`). */
export interface Scope {
  data: unknown;
  context: unknown;
  /** In [0, 1). */
  random: () => number;
}

/** What a path gives that leads nowhere. */
export const NO_MATCH = Symbol('no match');

/** Names and indices, one after the other. */
type Segments = readonly (string | number)[];

/** A parsed path. */
export interface JsonPath {
  text: string;
  /** True for `$$…`. */
  ofContext: boolean;
  /** Undefined for a path that may lead to many places: one with wildcards, slices or filters. */
  segments: Segments | undefined;
  /**
   * The value there, or NO_MATCH. A path that may lead to many places gives the array of them, which may be
   * empty.
   */
  find(scope: Scope): unknown;
}

/** A dot before a bracket means nothing, and neither do spaces within: `$.a.[ 0 ]` is `$.a[0]`. */
const SEGMENT =
  /\.([^.[\]()'"*?,:@$\s&|=<>!]+)|\.?\[\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|(-?\d+))\s*\]/y;

/** Finds what leads to many places. Step Functions has no functions in paths, so there are none here. */
const queries = new JSONPathEnvironment({ maxRecursionDepth: 10_000 });
queries.functionRegister.clear();

/** Parses a path once, for any number of evaluations. */
export function compilePath(text: string): JsonPath {
  const ofContext = text.startsWith('$$');
  if (!text.startsWith('$'))
    throw new InvalidDefinitionError(`"${text}" is not a path: it must begin with "$"`);
  const body = text.slice(ofContext ? 2 : 1);
  const segments = readSegments(body);
  if (ofContext && segments?.[0] === 'Task')
    throw new InvalidDefinitionError(`"${text}": task tokens are not supported by this engine`);
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
export function compileReferencePath(text: string): JsonPath & { segments: Segments } {
  const path = compilePath(text);
  if (path.segments === undefined || path.ofContext)
    throw new InvalidDefinitionError(`"${text}" is not a reference path: only names and indices are allowed`);
  return { ...path, segments: path.segments };
}

/** Why a path leads nowhere, in the words of the library that Step Functions uses. */
export function describeMiss({ segments = [], ofContext }: JsonPath, scope: Scope): string {
  let value = ofContext ? scope.context : scope.data;
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1;
    if (!isLast && typeof segment === 'string' && isJsonObject(value) && !Object.hasOwn(value, segment))
      return `Missing property in path ${canonical(segments.slice(0, index + 1))}`;
    value = stepInto(value, segment);
  }
  return `No results for path: ${canonical(segments)}`;
}

/** A copy of `root` with `value` at the place; missing objects on the way are made. */
export function setAtPath(root: unknown, segments: Segments, value: unknown): unknown {
  const [first, ...rest] = segments;
  if (first === undefined) return value;
  if (typeof first === 'number') {
    if (!Array.isArray(root) || first < 0 || first >= root.length) throw cannotApply(root);
    return root.with(first, setAtPath(root[first], rest, value));
  }
  if (root !== undefined && !isJsonObject(root)) throw cannotApply(root);
  const inner = root !== undefined && Object.hasOwn(root, first) ? root[first] : undefined;
  return { ...root, [first]: setAtPath(inner, rest, value) };
}

function cannotApply(root: unknown): StateError {
  return new StateError(
    'States.ResultPathMatchFailure',
    `Unable to apply ResultPath: there is ${Array.isArray(root) ? 'no such array element' : 'a value that is no object'} on its way`,
  );
}

/** Undefined where the path is more than names and indices. A backslash in a name stands for itself. */
function readSegments(body: string): (string | number)[] | undefined {
  const segments: (string | number)[] = [];
  SEGMENT.lastIndex = 0;
  while (SEGMENT.lastIndex < body.length) {
    const match = SEGMENT.exec(body);
    if (match === null) return undefined;
    const [, name, single, double, index] = match;
    segments.push(index === undefined ? (name ?? single ?? double ?? '') : Number(index));
  }
  return segments;
}

function canonical(segments: Segments): string {
  return `$${segments.map((segment) => (typeof segment === 'number' ? `[${segment}]` : `['${segment}']`)).join('')}`;
}

function findSegments(root: unknown, segments: Segments): unknown {
  let value = root;
  for (const segment of segments) {
    value = stepInto(value, segment);
    if (value === NO_MATCH) return NO_MATCH;
  }
  return value;
}

function stepInto(value: unknown, segment: string | number): unknown {
  if (typeof segment === 'string')
    return isJsonObject(value) && Object.hasOwn(value, segment) ? value[segment] : NO_MATCH;
  if (!Array.isArray(value)) return NO_MATCH;
  const index = segment < 0 ? value.length + segment : segment;
  return index >= 0 && index < value.length ? value[index] : NO_MATCH;
}

function queryFinder(text: string, body: string): (root: unknown) => unknown {
  const query = compileQuery(text, body);
  const endsInFilter = query.segments
    .at(-1)
    ?.selectors.some((selector) => selector instanceof jsonpath.selectors.FilterSelector);
  return (root) => {
    try {
      const values = query.query(root as JSONValue).values();
      // "The @ operator … does not match scalar values. It only matches objects." (developer guide, Paths)
      return endsInFilter ? values.filter((value) => typeof value === 'object' && value !== null) : values;
    } catch (error) {
      throw stateErrorFrom(error, { error: 'States.Runtime', what: `Invalid path '${text}'` });
    }
  };
}

function compileQuery(text: string, body: string) {
  try {
    return queries.compile(`$${toStandardPath(body)}`);
  } catch (error) {
    if (!(error instanceof JSONPathError)) throw error;
    throw new InvalidDefinitionError(`"${text}" is not a path: ${error.message}`, { cause: error });
  }
}

/** The path as RFC 9535 has it: no dot before a bracket, and names in brackets as JSON texts. */
function toStandardPath(body: string): string {
  return body.replaceAll(
    /([[,]\s*)?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")(?=(\s*[\],])?)|(?<!\.)\.(?=\[)/g,
    (token, opening: string | undefined, quoted: string | undefined, closing: string | undefined) => {
      if (quoted === undefined) return '';
      return opening !== undefined && closing !== undefined
        ? opening + JSON.stringify(quoted.slice(1, -1))
        : token;
    },
  );
}
