/** Why bytes are not what their file's ending says that they are. */
export class UnpackFault extends Error {}

const FRAME_MAGIC = 0xfd2fb528;
/** The last hexadecimal digit may be any. */
const SKIPPABLE_MAGIC = 0x184d2a50;
const MAGIC_BYTES = 4;
const SIZE_BYTES = 4;
const BLOCK_HEADER_BYTES = 3;
const CHECKSUM_BYTES = 4;
const RLE_BLOCK = 1;
const RESERVED_BLOCK = 3;

/** Cuts zstd at the ends of its frames. */
export interface ZstdFrames {
  /** The chunk in pieces, none of which goes on after the end of a frame; skippable frames are left out. */
  push(chunk: Buffer): Buffer[];
  /** Throws UnpackFault where a frame has not ended. */
  end(): void;
}

/** What comes next, and how many bytes of it there are, so far as the bytes before it say. */
type Stage =
  | { what: 'magic' | 'skippable size' | 'descriptor' | 'block header'; headBytes: number }
  | { what: 'content' | 'skipped'; left: number; next: Stage };

const AT_FRAME: Stage = { what: 'magic', headBytes: MAGIC_BYTES };
const AT_BLOCK: Stage = { what: 'block header', headBytes: BLOCK_HEADER_BYTES };

/**
 * Finds the ends of frames by their headers alone. Node's decompressor takes the bytes after a frame's end for garbage and
 * leaves them out, unless they come in another chunk. https://www.rfc-editor.org/rfc/rfc8878#section-3
 */
export function createZstdFrames(): ZstdFrames {
  let stage: Stage = AT_FRAME;
  let head: number[] = [];
  let hasChecksum = false;

  /** What follows a header that is whole. */
  const after = (what: 'magic' | 'skippable size' | 'descriptor' | 'block header'): Stage => {
    const value = Buffer.from(head).readUIntLE(0, head.length);
    switch (what) {
      case 'magic':
        if (value === FRAME_MAGIC) return { what: 'descriptor', headBytes: 1 };
        if ((value & ~0xf) >>> 0 === SKIPPABLE_MAGIC) {
          return { what: 'skippable size', headBytes: SIZE_BYTES };
        }
        throw new UnpackFault('there are bytes that begin no zstd frame');
      case 'skippable size':
        return { what: 'skipped', left: value, next: AT_FRAME };
      case 'descriptor':
        hasChecksum = (value & 4) !== 0;
        return { what: 'content', left: headerBytesOf(value), next: AT_BLOCK };
      case 'block header':
        return afterBlockHeader(value, hasChecksum);
    }
  };

  return {
    push: (chunk) => {
      const pieces: Buffer[] = [];
      let [at, start] = [0, 0];
      const cut = (isKept: boolean) => {
        if (isKept && at > start) pieces.push(chunk.subarray(start, at));
        start = at;
      };
      while (at < chunk.length || ('left' in stage && stage.left === 0)) {
        if ('left' in stage) {
          const taken = Math.min(stage.left, chunk.length - at);
          at += taken;
          if (taken < stage.left) {
            stage = { ...stage, left: stage.left - taken };
            break;
          }
          const { what, next } = stage;
          stage = next;
          if (next.what === 'magic') cut(what === 'content');
          continue;
        }
        const { what, headBytes } = stage;
        head.push(chunk[at] ?? 0);
        at += 1;
        if (head.length < headBytes) continue;
        stage = after(what);
        // Only now is it known whether these bytes are kept.
        if (what === 'magic' || what === 'skippable size') {
          if (stage.what === 'descriptor') pieces.push(Buffer.from(head));
          start = at;
        }
        head = [];
      }
      const isInFrame = stage.what !== 'magic' && stage.what !== 'skippable size' && stage.what !== 'skipped';
      at = chunk.length;
      cut(isInFrame);
      return pieces;
    },
    end: () => {
      if (stage.what !== 'magic' || head.length > 0) throw new UnpackFault('its last zstd frame breaks off');
    },
  };
}

/** Bytes of a frame's header after its descriptor. */
function headerBytesOf(descriptor: number): number {
  const isSingleSegment = (descriptor & 32) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  return (isSingleSegment ? 0 : 1) + dictionaryBytes + sizeBytes;
}

function afterBlockHeader(header: number, hasChecksum: boolean): Stage {
  const isLast = (header & 1) === 1;
  const type = (header >> 1) & 3;
  if (type === RESERVED_BLOCK) throw new UnpackFault('a zstd block is of no known kind');
  const bytes = type === RLE_BLOCK ? 1 : header >> 3;
  const checksum: Stage = { what: 'content', left: hasChecksum ? CHECKSUM_BYTES : 0, next: AT_FRAME };
  return { what: 'content', left: bytes, next: isLast ? checksum : AT_BLOCK };
}
