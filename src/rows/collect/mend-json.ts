/** A JSON object that was found in an answer. */
export interface FoundObject {
  object: Record<string, unknown>;
  /** True where it stood in a code fence, had text around it, or a comma before a closing bracket. */
  isMended: boolean;
}

/** The JSON object that an answer is or has in it; undefined where there is none. Lone surrogates become U+FFFD. */
export function findObject(answer: string): FoundObject | undefined {
  const whole = parseObject(answer);
  if (whole !== undefined) return { object: whole, isMended: false };
  const braced = bracedPart(answer);
  if (braced === undefined) return undefined;
  const object = parseObject(braced) ?? parseObject(withoutTrailingCommas(braced));
  return object && { object, isMended: true };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    // A reviver takes as long as all else, and only an escape makes a lone surrogate.
    const value: unknown =
      text.includes('\\u') && /\\u[dD]/.test(text) ? JSON.parse(text, wellFormed) : JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function wellFormed(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? value.toWellFormed() : value;
}

/** Strings, which may have braces in them, and the braces. */
const TOKENS = /"(?:[^"\\]|\\.)*"|[{}]/gs;

/** From the first brace to the one that closes it; undefined where that is missing, as in an answer that was cut off. */
function bracedPart(text: string): string | undefined {
  const start = text.indexOf('{');
  if (start < 0) return undefined;
  const tail = text.slice(start);
  let depth = 0;
  for (const { 0: token, index } of tail.matchAll(TOKENS)) {
    if (token === '{') depth += 1;
    else if (token === '}') depth -= 1;
    if (depth === 0) return tail.slice(0, index + 1);
  }
  return undefined;
}

function withoutTrailingCommas(text: string): string {
  return text.replace(
    /("(?:[^"\\]|\\.)*")|,(\s*[}\]])/gs,
    (_, string?: string, closing?: string) => string ?? closing ?? '',
  );
}
