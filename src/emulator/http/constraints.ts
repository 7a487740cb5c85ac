import { validationError } from './service-error.ts';

/** Collects what is wrong with a request, and words it as AWS does. */
export interface Constraints {
  /** A string that must be there. */
  string(path: string, value: unknown, rule: StringRule): string;
  /** A string that may be left out. */
  optionalString(path: string, value: unknown, rule: StringRule): string | undefined;
  optionalInteger(path: string, value: unknown, range: { min: number; max: number }): number | undefined;
  optionalTime(path: string, value: unknown): number | undefined;
  /** A list whose members are each read by `read`; undefined where it is left out. */
  optionalList<T>(path: string, value: unknown, rule: ListRule<T>): T[] | undefined;
  /** An object that must be there; an empty one stands for one that is not. */
  object(path: string, value: unknown): Record<string, unknown>;
  /** A value that must be there, and is handed on as it is. */
  present(path: string, value: unknown): unknown;
  /** Throws one ValidationException that tells everything. */
  check(): void;
}

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

/** An empty collection of complaints. */
export function createConstraints(): Constraints {
  const complaints: string[] = [];
  const complain = (path: string, value: unknown, rule: string) => {
    const shown =
      value === undefined || value === null
        ? 'null'
        : `'${typeof value === 'string' ? value : JSON.stringify(value)}'`;
    complaints.push(`Value ${shown} at '${path}' failed to satisfy constraint: Member must ${rule}`);
  };

  const constraints: Constraints = {
    string: (path, value, rule) => {
      if (value === undefined || value === null) complain(path, value, 'not be null');
      return constraints.optionalString(path, value, rule) ?? '';
    },
    optionalString: (
      path,
      value,
      { min = 0, max = Number.POSITIVE_INFINITY, pattern, patternText, values },
    ) => {
      if (value === undefined || value === null) return undefined;
      if (typeof value !== 'string') {
        complain(path, value, 'be a string');
        return undefined;
      }
      if (value.length < min) complain(path, value, `have length greater than or equal to ${min}`);
      if (value.length > max) complain(path, value, `have length less than or equal to ${max}`);
      else if (pattern !== undefined && !pattern.test(value)) {
        complain(path, value, `satisfy regular expression pattern: ${patternText ?? pattern.source}`);
      }
      if (values !== undefined && !values.includes(value)) {
        complain(path, value, `satisfy enum value set: [${values.join(', ')}]`);
      }
      return value;
    },
    optionalInteger: (path, value, { min, max }) => {
      if (value === undefined || value === null) return undefined;
      const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value;
      if (typeof number !== 'number' || !Number.isInteger(number)) {
        complain(path, value, 'be an integer');
        return undefined;
      }
      if (number < min) complain(path, value, `have value greater than or equal to ${min}`);
      if (number > max) complain(path, value, `have value less than or equal to ${max}`);
      return number;
    },
    optionalTime: (path, value) => {
      if (value === undefined || value === null) return undefined;
      const timeMs = Date.parse(String(value));
      if (Number.isNaN(timeMs)) complain(path, value, 'be a timestamp in ISO 8601 format');
      return timeMs;
    },
    optionalList: (path, value, { min, max, read }) => {
      if (value === undefined || value === null) return undefined;
      if (!Array.isArray(value)) {
        complain(path, value, 'be a list');
        return undefined;
      }
      if (value.length < min) complain(path, value, `have length greater than or equal to ${min}`);
      if (value.length > max) complain(path, value, `have length less than or equal to ${max}`);
      return value.map((item, index) => read(item, `${path}.${index + 1}.member`));
    },
    object: (path, value) => {
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
      complain(path, value ?? null, 'not be null');
      return {};
    },
    present: (path, value) => {
      if (value === undefined || value === null) complain(path, value, 'not be null');
      return value;
    },
    check: () => {
      if (complaints.length === 0) return;
      const noun = complaints.length === 1 ? 'error' : 'errors';
      throw validationError(`${complaints.length} validation ${noun} detected: ${complaints.join('; ')}`);
    },
  };
  return constraints;
}
