import type { Column } from '../../core/part.ts';
import { sqlName } from './duckdb.ts';

/**
 * SQL for a column's value as text, as it stands in a prompt or a record id; null stays null. The rules are in
 * docs/data.md; where the file says how a value is spelled, that spelling wins.
 */
export function columnText({ name, type }: Column): string {
  return valueText(sqlName(name), type);
}

function valueText(value: string, type: string): string {
  const text = `CAST(${value} AS VARCHAR)`;
  if (/\]$|^(STRUCT|MAP|UNION)\b/.test(type)) return `CAST(to_json(${value}) AS VARCHAR)`;
  if (type === 'VARCHAR' || type === 'JSON') return text;
  if (type === 'DOUBLE' || type === 'FLOAT') return floatText(value);
  if (type === 'BLOB') return `to_base64(${value})`;
  // "2024-01-31 12:00:00+00", as the time zone is UTC.
  if (type === 'TIMESTAMP WITH TIME ZONE') return `regexp_replace(replace(${text}, ' ', 'T'), '\\+00$', 'Z')`;
  if (type.startsWith('TIMESTAMP')) return `replace(${text}, ' ', 'T')`;
  return text;
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
