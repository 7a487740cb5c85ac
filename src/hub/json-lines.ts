import { constants, gunzipSync, zstdDecompressSync } from 'node:zlib';

/** Bytes from the start of a `.json` file that tell whether it holds one record a line. */
export const JSON_HEAD_BYTES = 65_536;

/**
 * Why a `.json` file is not JSON Lines, told by its first bytes, which may be compressed; undefined where it is, or
 * where its first line is longer than these bytes.
 */
export function jsonLinesFault(head: Uint8Array, path: string): string | undefined {
  const text = new TextDecoder().decode(decompressHead(head, path)).trimStart();
  if (text.startsWith('[')) return 'is one JSON array, not one JSON object per line';
  if (text === '') return undefined;
  if (!text.startsWith('{')) return 'does not begin with a JSON object';
  const end = text.search(/[\r\n]/);
  if (end === -1) return undefined;
  try {
    JSON.parse(text.slice(0, end));
    return undefined;
  } catch {
    return 'is one JSON document over many lines, not one JSON object per line';
  }
}

function decompressHead(head: Uint8Array, path: string): Uint8Array {
  if (/\.(?:gz|gzip)$/i.test(path)) return gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH });
  if (/\.(?:zst|zstd)$/i.test(path)) {
    return zstdDecompressSync(head, { finishFlush: constants.ZSTD_e_flush });
  }
  return head;
}
