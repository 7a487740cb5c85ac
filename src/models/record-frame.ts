import type { MediaKind } from '../core/jobs/unsent-rows.ts';
import { recordIdOf } from '../core/record-id.ts';
import { type PromptPiece, placeholdersOf } from '../prompts/prompt-template.ts';
import type { ModelAdapter, ModelRequest } from './adapters/model-adapter.ts';
import type { MediaBlock } from './media.ts';

/**
 * A piece of the JSON text of a `modelInput`: the same in every record, a JSON string that is made of a row, or one that tells
 * of an image or a document of the row: which of the frame's, and what of it.
 */
export type RecordSegment =
  | { kind: 'text'; text: string }
  | { kind: 'string'; pieces: readonly PromptPiece[] }
  | { kind: 'media'; index: number; value: MediaValue };

/** What of an image or a document stands in a body. */
export type MediaValue = Exclude<keyof MediaBlock, 'kind'>;

/** A column of images or documents. */
export interface MediaColumn {
  kind: MediaKind;
  column: string;
}

/** How a row becomes a record, said once for all rows: the segments of its `modelInput`, in their order. */
export interface RecordFrame {
  segments: readonly RecordSegment[];
  /** The images and documents of each row, in the order of the body; absent where rows have none. */
  media?: readonly MediaColumn[];
}

/** What a run asks of every row: texts with places for the row's values. */
export interface PromptPieces {
  /** Undefined where an image is all there is. */
  prompt: readonly PromptPiece[] | undefined;
  /** Images and documents, before the prompt. */
  media?: readonly MediaColumn[];
  /** Where the system prompt has placeholders; without any it is in the request. */
  system?: readonly PromptPiece[] | undefined;
  /** Turns before the prompt, in their order. */
  turns?: readonly PromptTurn[];
}

/** A turn before the prompt, with places for the row's values. */
export interface PromptTurn {
  role: 'user' | 'assistant';
  pieces: readonly PromptPiece[];
}

/** The frame of a run's records: the model's body, cut where the prompts stand. */
export function recordFrameOf(
  adapter: ModelAdapter,
  request: ModelRequest,
  { prompt, system, turns = [], media = [] }: PromptPieces,
): RecordFrame {
  const bodyOf = (markers: Markers) =>
    JSON.stringify(
      adapter.toModelInput(prompt === undefined ? '' : markers.prompt, {
        ...request,
        ...(system === undefined ? {} : { systemPrompt: markers.system }),
        ...(turns.length === 0
          ? {}
          : { turns: turns.map(({ role }, turn) => ({ role, text: markers.turn(turn) })) }),
        ...(media.length === 0
          ? {}
          : { media: media.map(({ kind }, index) => ({ kind, ...markers.media(index) })) }),
      }),
    );
  // Whatever the user's own texts are, a marker longer than the whole body is in none of them.
  const length = bodyOf(markersOf(0)).length + 1;
  const markers = markersOf(length);
  let segments: RecordSegment[] = [{ kind: 'text', text: bodyOf(markers) }];
  const stringOf = (pieces: readonly PromptPiece[]): RecordSegment => ({ kind: 'string', pieces });
  if (prompt !== undefined) {
    segments = cutAt(segments, { marker: markers.prompt, as: stringOf(prompt), what: 'prompt', adapter });
  }
  for (const [turn, { pieces }] of turns.entries()) {
    const [marker, what] = [markers.turn(turn), `turn ${turn + 1}`];
    segments = cutAt(segments, { marker, as: stringOf(pieces), what, adapter });
  }
  if (system !== undefined) {
    segments = cutAt(segments, {
      marker: markers.system,
      as: stringOf(system),
      what: 'system prompt',
      adapter,
    });
  }
  if (media.length === 0) return { segments };
  for (const [index] of media.entries()) {
    const { base64, ...others } = markers.media(index);
    segments = cutAt(segments, {
      marker: base64,
      as: { kind: 'media', index, value: 'base64' },
      what: `image or document ${index + 1}`,
      adapter,
    });
    for (const value of ['format', 'mediaType'] as const) {
      segments = cutWherever(segments, others[value], { kind: 'media', index, value }).segments;
    }
  }
  return { segments, media };
}

/** What stands in a body where the texts of a row will: each is another text. */
interface Markers {
  prompt: string;
  system: string;
  turn(turn: number): string;
  media(index: number): Record<MediaValue, string>;
}

function markersOf(length: number): Markers {
  return {
    prompt: '#'.repeat(length),
    system: '+'.repeat(length),
    turn: (turn) => '-'.repeat(length && length + turn),
    media: (index) => ({
      base64: '='.repeat(length && length + index),
      format: '%'.repeat(length && length + index),
      mediaType: '&'.repeat(length && length + index),
    }),
  };
}

/** The strings of a frame that are made of a row. */
export function stringsOf({ segments }: RecordFrame): (readonly PromptPiece[])[] {
  return segments.flatMap((segment) => (segment.kind === 'string' ? [segment.pieces] : []));
}

/** True where a column of each row chooses among prompts. */
export function choosesPrompts(frame: RecordFrame): boolean {
  return stringsOf(frame).some((pieces) => pieces.some(({ kind }) => kind === 'choice'));
}

/**
 * A row's `modelInput` as JSON text, with the strings that the row makes, in their order. Of images and documents it has what they
 * are, in the place of their bytes.
 */
export function bodyText({ segments, media = [] }: RecordFrame, strings: readonly string[]): string {
  const texts = strings.values();
  const textOf = (segment: RecordSegment): string => {
    switch (segment.kind) {
      case 'text':
        return segment.text;
      case 'string':
        return JSON.stringify(texts.next().value ?? '');
      case 'media':
        return JSON.stringify(`<${segment.value} of ${media[segment.index]?.column ?? ''}>`);
    }
  };
  return segments.map(textOf).join('');
}

/** A record as a line of a job's input, without its newline. */
export function recordLine(frame: RecordFrame, recordId: string, strings: readonly string[]): string {
  return `{"recordId":${JSON.stringify(recordId)},"modelInput":${bodyText(frame, strings)}}`;
}

/** The columns that a frame reads, each once. */
export function columnsOf(frame: RecordFrame): string[] {
  const { media = [] } = frame;
  const ofStrings = stringsOf(frame).flatMap((pieces) => placeholdersOf(pieces));
  return [...new Set([...ofStrings, ...media.map(({ column }) => column)])];
}

interface Cut {
  marker: string;
  as: RecordSegment;
  what: string;
  adapter: ModelAdapter;
}

/** The segments with another in the marker's place, which must be one place, and a JSON string of its own. */
function cutAt(given: readonly RecordSegment[], { marker, as, what, adapter }: Cut): RecordSegment[] {
  const { segments, places } = cutWherever(given, marker, as);
  if (places !== 1) {
    throw new Error(`The adapter of ${adapter.family} must put the ${what} into the body once, as it is.`);
  }
  return segments;
}

/** The segments with another in every place of the marker, and how many these are. */
function cutWherever(
  segments: readonly RecordSegment[],
  marker: string,
  as: RecordSegment,
): { segments: RecordSegment[]; places: number } {
  const quoted = JSON.stringify(marker);
  let places = 0;
  const cut = segments.flatMap((segment): RecordSegment[] => {
    if (segment.kind !== 'text') return [segment];
    const texts = segment.text.split(quoted);
    places += texts.length - 1;
    return texts.flatMap((text, index): RecordSegment[] =>
      index === 0 ? [{ kind: 'text', text }] : [as, { kind: 'text', text }],
    );
  });
  return { segments: cut, places };
}

/** Bytes of a record beside its prompt. */
export function frameBytes({ segments }: RecordFrame): number {
  const body = segments.map((segment) => (segment.kind === 'text' ? segment.text : '""')).join('');
  return Buffer.byteLength(`{"recordId":"${recordIdOf(0)}","modelInput":${body}}\n`);
}
