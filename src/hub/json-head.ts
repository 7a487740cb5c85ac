import { constants, gunzipSync, zstdDecompressSync } from 'node:zlib';

/** Bytes from the start of a `.json` file that tell whether it holds records. */
export const JSON_HEAD_BYTES = 65_536;
/** Bytes that the start of a packed file may become: a few can stand for gigabytes of the same letter. */
const MOST_UNPACKED_BYTES = 16_000_000;

/**
 * Why a `.json` file is neither JSON Lines nor one list of objects, told by its first bytes, which may be compressed;
 * undefined where it is, or where these bytes do not tell: whoever reads the file will.
 */
export function jsonFault(head: Uint8Array, path: string): string | undefined {
  const bytes = unpackHead(head, path);
  if (bytes === undefined) return undefined;
  const text = new TextDecoder().decode(bytes).trimStart();
  if (text.startsWith('[')) {
    const entry = text.slice(1).trimStart();
    return /^[{\]]|^$/.test(entry) ? undefined : 'is a list of other things than objects';
  }
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

/** The beginning of what is packed; undefined where it is longer than it should be. */
function unpackHead(head: Uint8Array, path: string): Uint8Array | undefined {
  const options = { maxOutputLength: MOST_UNPACKED_BYTES };
  try {
    if (/\.(?:gz|gzip)$/i.test(path)) {
      return gunzipSync(head, { ...options, finishFlush: constants.Z_SYNC_FLUSH });
    }
    if (/\.(?:zst|zstd)$/i.test(path)) {
      return zstdDecompressSync(head, { ...options, finishFlush: constants.ZSTD_e_flush });
    }
    return head;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return undefined;
    throw error;
  }
}
