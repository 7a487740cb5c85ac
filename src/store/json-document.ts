import { crc32 } from 'node:zlib';
import type { z } from 'zod';

/** A document's value, or why it has none; `writtenBy` is the version whose format is another. */
export type ParsedDocument<T> =
  | { value: T }
  | { fault: string; writtenBy: string | undefined; cause: unknown };

/** What stands around a list: a list itself has no room for a checksum. */
interface CheckedList {
  list: unknown[];
}

/**
 * A document’s text, laid out for people. Its last member, `checksum`, is of all others, so that a byte that changes later is
 * seen even where the text is JSON still. A list is written as the member `list` of an object.
 */
export function renderJson(value: unknown): string {
  const content = Array.isArray(value) ? ({ list: value } satisfies CheckedList) : (value as object);
  return `${JSON.stringify({ ...content, checksum: checksumOf(content) }, null, 2)}\n`;
}

/** Reads a JSON document; one without a checksum is of an earlier version. */
export function parseDocument<T>(bytes: Uint8Array, schema: z.ZodType<T>): ParsedDocument<T> {
  const damaged = (fault: string, cause?: unknown) => ({ fault, writtenBy: undefined, cause });
  if (bytes.length === 0) return damaged('it is empty');
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    const { message } = cause as Error;
    const isCut =
      /end of JSON|Unterminated/.test(message) || message.includes(`at position ${bytes.length} `);
    return damaged(isCut ? `it breaks off after ${bytes.length} bytes` : 'it is not JSON', cause);
  }
  const { value, isChanged } = openDocument(document);
  const parsed = schema.safeParse(value);
  if (parsed.success && !isChanged) return { value: parsed.data };
  const path = parsed.error?.issues[0]?.path ?? [];
  const { quarry_version } = document as { quarry_version?: unknown };
  if (path[0] === 'format_version' && typeof quarry_version === 'string') {
    return { ...damaged('it is of another version', parsed.error), writtenBy: quarry_version };
  }
  if (isChanged) return damaged('it has changed since it was written: its checksum is that of another text');
  return damaged(
    path.length === 0
      ? 'it is something else'
      : `"${path.join('.')}" in it is missing, or not what it should be`,
    parsed.error,
  );
}

/** What a document holds, and whether that is not what was written. */
function openDocument(document: unknown): { value: unknown; isChanged: boolean } {
  if (typeof document !== 'object' || document === null || !('checksum' in document)) {
    return { value: document, isChanged: false };
  }
  const { checksum, ...content } = document;
  const [only, ...others] = Object.keys(content);
  const isList = only === 'list' && others.length === 0;
  return {
    value: isList ? (content as CheckedList).list : content,
    isChanged: checksum !== checksumOf(content),
  };
}

/** Guards against accidents, and against nobody who means harm: of the content, however its text is laid out. */
function checksumOf(content: object): string {
  return `crc32-${crc32(JSON.stringify(content)).toString(16).padStart(8, '0')}`;
}
