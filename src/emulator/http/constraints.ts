import { validationError } from './service-error.ts';

/** What a string must fulfil. */
export interface StringRule {
  min?: number;
  max?: number;
  pattern?: RegExp;
  /** The pattern as the service's error spells it, where ours is written differently. */
  patternText?: string;
  values?: readonly string[];
}

/** What a list must fulfil. */
export interface ListRule<T> {
  min: number;
  max: number;
  read: (item: unknown, path: string) => T;
}

/** Collects what is wrong with a request, and words it as AWS does. */
export class Constraints {
  readonly #complaints: string[] = [];

  /** A string that must be there. */
  string(path: string, value: unknown, rule: StringRule): string {
    if (isAbsent(value)) this.#complain(path, value, 'not be null');
    return this.optionalString(path, value, rule) ?? '';
  }

  /** A string that may be left out. */
  optionalString(path: string, value: unknown, rule: StringRule): string | undefined {
    if (isAbsent(value)) return undefined;
    if (typeof value !== 'string') {
      this.#complain(path, value, 'be a string');
      return undefined;
    }
    const { min = 0, max = Number.POSITIVE_INFINITY, pattern, patternText, values } = rule;
    if (value.length < min) this.#complain(path, value, `have length greater than or equal to ${min}`);
    if (value.length > max) this.#complain(path, value, `have length less than or equal to ${max}`);
    else if (pattern !== undefined && !pattern.test(value)) {
      this.#complain(path, value, `satisfy regular expression pattern: ${patternText ?? pattern.source}`);
    }
    if (values !== undefined && !values.includes(value)) {
      this.#complain(path, value, `satisfy enum value set: [${values.join(', ')}]`);
    }
    return value;
  }

  /** A whole number that may be left out, or written as a string. */
  optionalInteger(path: string, value: unknown, { min, max }: Range): number | undefined {
    if (isAbsent(value)) return undefined;
    const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value;
    if (typeof number !== 'number' || !Number.isInteger(number)) {
      this.#complain(path, value, 'be an integer');
      return undefined;
    }
    if (number < min) this.#complain(path, value, `have value greater than or equal to ${min}`);
    if (number > max) this.#complain(path, value, `have value less than or equal to ${max}`);
    return number;
  }

  /** A time in milliseconds, which may be left out. */
  optionalTime(path: string, value: unknown): number | undefined {
    if (isAbsent(value)) return undefined;
    const timeMs = Date.parse(String(value));
    if (Number.isNaN(timeMs)) this.#complain(path, value, 'be a timestamp in ISO 8601 format');
    return timeMs;
  }

  /** A list whose members are each read by `read`; undefined where it is left out. */
  optionalList<T>(path: string, value: unknown, { min, max, read }: ListRule<T>): T[] | undefined {
    if (isAbsent(value)) return undefined;
    if (!Array.isArray(value)) {
      this.#complain(path, value, 'be a list');
      return undefined;
    }
    if (value.length < min) this.#complain(path, value, `have length greater than or equal to ${min}`);
    if (value.length > max) this.#complain(path, value, `have length less than or equal to ${max}`);
    return value.map((item, index) => read(item, `${path}.${index + 1}.member`));
  }

  /** An object that must be there; an empty one stands for one that is not. */
  object(path: string, value: unknown): Record<string, unknown> {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
    this.#complain(path, value ?? null, 'not be null');
    return {};
  }

  /** A value that must be there, and is handed on as it is. */
  present(path: string, value: unknown): unknown {
    if (isAbsent(value)) this.#complain(path, value, 'not be null');
    return value;
  }

  /** Throws one ValidationException that tells everything. */
  check(): void {
    const complaints = this.#complaints;
    if (complaints.length === 0) return;
    const noun = complaints.length === 1 ? 'error' : 'errors';
    throw validationError(`${complaints.length} validation ${noun} detected: ${complaints.join('; ')}`);
  }

  #complain(path: string, value: unknown, rule: string): void {
    const shown = isAbsent(value) ? 'null' : `'${typeof value === 'string' ? value : JSON.stringify(value)}'`;
    this.#complaints.push(`Value ${shown} at '${path}' failed to satisfy constraint: Member must ${rule}`);
  }
}

interface Range {
  min: number;
  max: number;
}

function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}
