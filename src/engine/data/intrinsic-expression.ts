import { InvalidDefinitionError, runtimeError, StateError, stateErrorFrom } from '../state-error.ts';
import { intrinsicFunctions } from './intrinsic-functions.ts';
import { compilePath, NO_MATCH, type Scope } from './json-path.ts';

/** Gives a value from what it may look at. */
export type Expression = (scope: Scope) => unknown;

/** "Up to 10 levels of nesting" (developer guide, Intrinsic functions). */
const MAX_NESTING = 10;

/** "To escape characters … \', \{, \}, \\" (developer guide, Intrinsic functions); any other is refused. */
const ESCAPES = "a text in which a backslash stands before ', {, } or a backslash only";

/** Parses an intrinsic function such as `States.Format('part {}', $.index)`. */
export function compileIntrinsic(text: string): Expression {
  return new IntrinsicReader(text).readWhole();
}

class IntrinsicReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  readWhole(): Expression {
    const expression = this.#readCall(1);
    if (this.#at < this.#text.length) throw this.#wrong('nothing');
    return expression;
  }

  #readCall(depth: number): Expression {
    if (depth > MAX_NESTING)
      throw new InvalidDefinitionError(
        `"${this.#text}" nests intrinsic functions more than ${MAX_NESTING} deep`,
      );
    const start = this.#at;
    const name = this.#take(/States\.\w+/y);
    if (name === undefined) throw this.#wrong('an intrinsic function');
    if (!Object.hasOwn(intrinsicFunctions, name))
      throw new InvalidDefinitionError(`${name} is not an intrinsic function`);
    const apply = intrinsicFunctions[name as keyof typeof intrinsicFunctions];
    const args = this.#readArguments(name, depth);
    const source = this.#text.slice(start, this.#at);
    return (scope) => {
      const values = args.map((arg) => arg(scope));
      try {
        return apply(values, scope);
      } catch (error) {
        if (error instanceof StateError) throw error;
        throw stateErrorFrom(error, {
          error: 'States.IntrinsicFailure',
          what: `The function '${source}' had the following error`,
        });
      }
    };
  }

  #readArguments(name: string, depth: number): Expression[] {
    const args: Expression[] = [];
    this.#expect(/\(/y, '"("');
    this.#skipSpace();
    if (this.#take(/\)/y) !== undefined) return args;
    for (;;) {
      // The template of States.Format keeps its escapes: `\{` is a brace there, and `{}` a place.
      args.push(this.#readArgument(depth, name === 'States.Format' && args.length === 0));
      this.#skipSpace();
      if (this.#take(/\)/y) !== undefined) return args;
      this.#expect(/,/y, '"," or ")"');
      this.#skipSpace();
    }
  }

  #readArgument(depth: number, keepEscapes: boolean): Expression {
    const next = this.#text[this.#at];
    if (next === 'S') return this.#readCall(depth + 1);
    if (next === '$') return this.#readPath();
    const literal = this.#take(/'(?:[^'\\]|\\['{}\\])*'/sy);
    if (literal !== undefined) {
      const raw = literal.slice(1, -1);
      const value = keepEscapes ? raw : raw.replaceAll(/\\(['{}\\])/g, '$1');
      return () => value;
    }
    const word = this.#take(/-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y);
    if (word === undefined) throw this.#wrong(next === "'" ? ESCAPES : 'an argument');
    const value: unknown = JSON.parse(word);
    return () => value;
  }

  #readPath(): Expression {
    const text = this.#expect(
      /(?:\[(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\]'"])*\]|[^,)\s[])+/y,
      'a path',
    );
    const path = compilePath(text);
    return (scope) => {
      const value = path.find(scope);
      if (value === NO_MATCH)
        throw runtimeError(
          `The function '${this.#text}' had the following error: The JsonPath argument for the field '${text}' could not be found in the input`,
        );
      return value;
    };
  }

  #skipSpace(): void {
    this.#take(/\s*/y);
  }

  #expect(pattern: RegExp, what: string): string {
    const found = this.#take(pattern);
    if (found === undefined) throw this.#wrong(what);
    return found;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at = pattern.lastIndex;
    return match[0];
  }

  #wrong(expected: string): InvalidDefinitionError {
    return new InvalidDefinitionError(`"${this.#text}": expected ${expected} at position ${this.#at}`);
  }
}
