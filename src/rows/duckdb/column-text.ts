import type { Column } from '../../core/plan/part.ts';
import { sqlName, sqlText } from './duckdb.ts';
import { type NestedType, parseType, typeWithFloatsAs } from './nested-type.ts';

/**
 * SQL for a column's value as text, as it stands in a prompt or a record id; null stays null. The rules are in
 * docs/data.md; where the file says how a value is spelled, that spelling wins.
 */
export function columnText({ name, type }: Column): string {
  return valueText(sqlName(name), type);
}

function valueText(value: string, type: string): string {
  const text = `CAST(${value} AS VARCHAR)`;
  if (/\]$|^(STRUCT|MAP|UNION)\b/.test(type)) return nestedText(value, type);
  if (type === 'VARCHAR' || type === 'JSON') return text;
  if (type === 'DOUBLE' || type === 'FLOAT') return floatText(value);
  if (type === 'BLOB') return `to_base64(${value})`;
  // "2024-01-31 12:00:00+00", as the time zone is UTC.
  if (type === 'TIMESTAMP WITH TIME ZONE') return `regexp_replace(replace(${text}, ' ', 'T'), '\\+00$', 'Z')`;
  if (type.startsWith('TIMESTAMP')) return `replace(${text}, ' ', 'T')`;
  return text;
}

/** Types of which `to_json` makes other digits, or what is no JSON. */
const UNSOUND_IN_JSON = /\b(?:FLOAT|DOUBLE|BLOB)\b/;

function nestedText(value: string, type: string): string {
  return UNSOUND_IN_JSON.test(type)
    ? jsonText(value, parseType(type), { depth: 0, nonFinite: 'text' })
    : toJson(value);
}

function toJson(value: string): string {
  return `CAST(to_json(${value}) AS VARCHAR)`;
}

/** SQL for JSON in which each value has the text that it has alone, within quotes where JSON has no such value. */
interface JsonSpelling {
  depth: number;
  /** What stands for NaN and infinities: their text within quotes, or null. */
  nonFinite: 'text' | 'null';
}

function jsonText(value: string, type: NestedType, spelling: JsonSpelling): string {
  const { depth } = spelling;
  const deeper = { ...spelling, depth: depth + 1 };
  const orNull = (text: string) => `coalesce(${text}, 'null')`;
  const joined = (list: string) => `array_to_string(${list}, ',')`;
  const entry = `entry${depth}`;
  switch (type.kind) {
    case 'scalar':
      return scalarJson(value, type.name, spelling);
    case 'list': {
      const text = orNull(jsonText(entry, type.entry, deeper));
      return `('[' || ${joined(`list_transform(${value}, lambda ${entry}: ${text})`)} || ']')`;
    }
    case 'map': {
      const key = toJson(`CAST(${entry}.key AS VARCHAR)`);
      const text = `${key} || ':' || ${orNull(jsonText(`${entry}.value`, type.value, deeper))}`;
      return `('{' || ${joined(`list_transform(map_entries(${value}), lambda ${entry}: ${text})`)} || '}')`;
    }
    case 'struct': {
      const fields = type.fields.map(({ name, type: fieldType }) => {
        const field = jsonText(`struct_extract(${value}, ${sqlText(name)})`, fieldType, spelling);
        return `${sqlText(`${JSON.stringify(name)}:`)}, ${orNull(field)}`;
      });
      return `CASE WHEN ${value} IS NOT NULL THEN concat('{', ${fields.join(", ',', ")}, '}') END`;
    }
  }
}

function scalarJson(value: string, type: string, { nonFinite }: JsonSpelling): string {
  if (type === 'BLOB') return `('"' || to_base64(${value}) || '"')`;
  if (type !== 'FLOAT' && type !== 'DOUBLE') return toJson(value);
  const text = floatText(value);
  const other = nonFinite === 'null' ? 'NULL' : `'"' || ${text} || '"'`;
  return `CASE WHEN isfinite(${value}) THEN ${text} ELSE ${other} END`;
}

/**
 * SQL for a nested value that `to_json` makes JSON of with the digits that FLOATs have alone, and BLOBs in Base64. Of NaN and
 * infinities it makes what is no JSON, where there is no BLOB beside them.
 */
export function nestedJsonValue({ name, type }: Column): string {
  const value = sqlName(name);
  const parsed = parseType(type);
  if (/\bBLOB\b/.test(type)) {
    return `CAST(${jsonText(value, parsed, { depth: 0, nonFinite: 'null' })} AS JSON)`;
  }
  if (!/\bFLOAT\b/.test(type)) return value;
  // By way of their texts, as numbers that are as large would have more digits.
  return `CAST(CAST(${value} AS ${typeWithFloatsAs(parsed, 'VARCHAR')}) AS ${typeWithFloatsAs(parsed, 'DOUBLE')})`;
}

/**
 * A floating point number as JavaScript prints it. DuckDB has the same digits (the fewest that give the number
 * back) but writes 1.0, 1e+20 and 1e-07.
 */
function floatText(value: string): string {
  const text = `CAST(abs(${value}) AS VARCHAR)`;
  const sign = `CASE WHEN ${value} < 0 THEN '-' ELSE '' END`;
  const mantissa = `split_part(${text}, 'e', 1)`;
  const digits = `replace(${mantissa}, '.', '')`;
  const exponent = `CAST(split_part(${text}, 'e', 2) AS INTEGER)`;
  return `CASE
    WHEN ${value} IS NULL THEN NULL
    WHEN isnan(${value}) THEN 'NaN'
    WHEN isinf(${value}) THEN ${sign} || 'Infinity'
    WHEN NOT contains(${text}, 'e') THEN ${sign} || regexp_replace(${text}, '\\.0$', '')
    WHEN ${exponent} BETWEEN 0 AND 20 THEN ${sign} || rpad(${digits}, ${exponent} + 1, '0')
    WHEN ${exponent} BETWEEN -6 AND -1 THEN ${sign} || '0.' || repeat('0', -${exponent} - 1) || ${digits}
    ELSE ${sign} || ${mantissa} || 'e' || CASE WHEN ${exponent} > 0 THEN '+' ELSE '' END || ${exponent}
  END`;
}
