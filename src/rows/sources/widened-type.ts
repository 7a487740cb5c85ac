/** The name of the type of a column of nulls that says of no other type. */
export const ONLY_NULLS = 'only nulls';

/** Whole numbers: the bits of their values, without the sign. */
const INTEGER_BITS: Readonly<Record<string, { bits: number; signed: boolean }>> = {
  TINYINT: { bits: 7, signed: true },
  SMALLINT: { bits: 15, signed: true },
  INTEGER: { bits: 31, signed: true },
  BIGINT: { bits: 63, signed: true },
  UTINYINT: { bits: 8, signed: false },
  USMALLINT: { bits: 16, signed: false },
  UINTEGER: { bits: 32, signed: false },
  UBIGINT: { bits: 64, signed: false },
};
/** Bits of the whole numbers that a floating point type has all of. */
const FLOAT_BITS: Readonly<Record<string, number>> = { FLOAT: 24, DOUBLE: 53 };
/** Most digits of a DECIMAL. */
const MOST_DIGITS = 38;

/**
 * The narrowest type that has every value of two types as it is; undefined where there is none, or none that Parquet has. Texts
 * stay texts, and numbers numbers.
 */
export function widenedType(one: string, other: string): string | undefined {
  if (one === other) return one;
  if (one === ONLY_NULLS) return other;
  if (other === ONLY_NULLS) return one;
  const [a, b] = [INTEGER_BITS[one], INTEGER_BITS[other]];
  if (a !== undefined && b !== undefined) {
    const [bits, signed] = [Math.max(a.bits, b.bits), a.signed || b.signed];
    return Object.entries(INTEGER_BITS).find(([, type]) => type.signed === signed && type.bits >= bits)?.[0];
  }
  return floatOf(one, other) ?? decimalOf(one, other);
}

function floatOf(one: string, other: string): string | undefined {
  const needed = [one, other].map((type) => FLOAT_BITS[type] ?? INTEGER_BITS[type]?.bits);
  if (!(one in FLOAT_BITS) && !(other in FLOAT_BITS)) return undefined;
  const bits = Math.max(...needed.map((each) => each ?? Number.POSITIVE_INFINITY));
  return Object.entries(FLOAT_BITS).find(([, most]) => most >= bits)?.[0];
}

function decimalOf(one: string, other: string): string | undefined {
  const digits = [one, other].map(digitsOf);
  const [a, b] = digits;
  if (a === undefined || b === undefined) return undefined;
  const scale = Math.max(a.scale, b.scale);
  const precision = Math.max(a.whole, b.whole) + scale;
  return precision <= MOST_DIGITS ? `DECIMAL(${precision},${scale})` : undefined;
}

/** Digits before and after the point. */
function digitsOf(type: string): { whole: number; scale: number } | undefined {
  const [, precision, scale] = /^DECIMAL\((\d+),(\d+)\)$/.exec(type) ?? [];
  if (precision !== undefined && scale !== undefined) {
    return { whole: Number(precision) - Number(scale), scale: Number(scale) };
  }
  const bits = INTEGER_BITS[type]?.bits;
  return bits === undefined ? undefined : { whole: (2n ** BigInt(bits)).toString().length, scale: 0 };
}
