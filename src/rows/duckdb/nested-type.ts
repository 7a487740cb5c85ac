import { sqlName } from './duckdb.ts';

/** A DuckDB type, as far as it is made of others. */
export type NestedType =
  | { kind: 'scalar'; name: string }
  | { kind: 'list'; entry: NestedType }
  | { kind: 'struct'; fields: { name: string; type: NestedType }[] }
  | { kind: 'map'; key: NestedType; value: NestedType };

/** Reads a type as DuckDB writes it: `STRUCT(a FLOAT[], "b c" MAP(VARCHAR, BLOB))[]`. */
export function parseType(text: string): NestedType {
  const list = /^(.*)\[\d*\]$/s.exec(text)?.[1];
  if (list !== undefined) return { kind: 'list', entry: parseType(list) };
  const [, outer, inner = ''] = /^(STRUCT|MAP)\((.*)\)$/s.exec(text) ?? [];
  if (outer === 'STRUCT') {
    return {
      kind: 'struct',
      fields: splitOutside(inner, ',').map((field) => {
        const [name = '', type = ''] = splitNameOf(field.trim());
        return { name, type: parseType(type) };
      }),
    };
  }
  if (outer === 'MAP') {
    const [key = '', value = ''] = splitOutside(inner, ',').map((piece) => piece.trim());
    return { kind: 'map', key: parseType(key), value: parseType(value) };
  }
  return { kind: 'scalar', name: text };
}

/** The name of a struct's field and its type; a name that is no plain word is quoted. */
function splitNameOf(field: string): [name: string, type: string] {
  const [, quoted, plain = '', type = ''] = /^(?:"((?:[^"]|"")*)"|(\S+))\s+(.*)$/s.exec(field) ?? [];
  return [quoted === undefined ? plain : quoted.replaceAll('""', '"'), type];
}

/** The pieces between separators that stand neither in brackets nor in quotes. */
function splitOutside(text: string, separator: string): string[] {
  const pieces: string[] = [];
  let [depth, start] = [0, 0];
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const letter = text[at] ?? '';
    if (quote !== '') {
      if (letter === quote) quote = '';
    } else if (letter === '"' || letter === "'") quote = letter;
    else if (letter === '(' || letter === '[') depth += 1;
    else if (letter === ')' || letter === ']') depth -= 1;
    else if (letter === separator && depth === 0) {
      pieces.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...pieces, text.slice(start)];
}

/** SQL for a type with another one in place of FLOAT. */
export function typeWithFloatsAs(type: NestedType, other: string): string {
  switch (type.kind) {
    case 'scalar':
      return type.name === 'FLOAT' ? other : type.name;
    case 'list':
      return `${typeWithFloatsAs(type.entry, other)}[]`;
    case 'map':
      return `MAP(${typeWithFloatsAs(type.key, other)}, ${typeWithFloatsAs(type.value, other)})`;
    case 'struct':
      return `STRUCT(${type.fields.map((field) => `${sqlName(field.name)} ${typeWithFloatsAs(field.type, other)}`).join(', ')})`;
  }
}
