import type { MediaBlock, MediaLimits, MediaSupport } from '../../models/media.ts';
import type { MediaColumn } from '../../models/record-frame.ts';
import { checkMedia, type SoundMedia } from './check-media.ts';
import { type MediaFault, mediaFault } from './media-fault.ts';
import type { MediaReader } from './media-reader.ts';

/** What a row has in a column of images or documents: bytes, or else a text that names them. */
export interface MediaValue {
  base64: string | null;
  text: string | null;
}

/** An image or a document of a row as its record has it. */
export interface ReadMedia extends Omit<MediaBlock, 'kind'>, Pick<SoundMedia, 'size'> {
  kind: 'read';
  bytes: Buffer;
}

/** Reads a row's image or document and holds it against what the model takes. */
export async function readMediaValue(
  { base64, text }: MediaValue,
  { column, support, reader }: { column: MediaColumn; support: MediaSupport; reader: MediaReader },
): Promise<ReadMedia | MediaFault> {
  const limits = limitsOf(column, support);
  const maxBytes = limits.maxBytes ?? mostBytesOf(support);
  const found =
    base64 !== null
      ? ({ kind: 'found', bytes: Buffer.from(base64, 'base64') } as const)
      : text === null
        ? mediaFault('NotFound', 'has neither bytes nor a path')
        : await reader.read(text, maxBytes);
  if (found.kind === 'fault') return found;
  const { bytes } = found;
  const sound = checkMedia(column.kind, bytes, { ...limits, maxBytes });
  if (sound.kind === 'fault') return sound;
  return { ...sound, kind: 'read', bytes, base64: base64 ?? bytes.toString('base64') };
}

/** Most bytes of what is alone in a request. */
function mostBytesOf({ maxRequestBytes }: MediaSupport): number {
  return Math.floor((maxRequestBytes * 3) / 4);
}

/** What a model takes of a column's kind; a run is refused where it takes none. */
function limitsOf({ kind }: MediaColumn, support: MediaSupport): MediaLimits {
  return support[kind] ?? { formats: [] };
}
