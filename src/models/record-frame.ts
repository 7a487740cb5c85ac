import { type PromptPiece, placeholdersOf } from '../prompts/prompt-template.ts';
import type { ModelAdapter, ModelRequest } from './adapters/model-adapter.ts';

/**
 * A piece of the JSON text of a `modelInput`: the same in every record, or a JSON string that is made of a row. What a
 * row may give beside texts, an image, is another kind of segment.
 */
export type RecordSegment =
  | { kind: 'text'; text: string }
  | { kind: 'string'; pieces: readonly PromptPiece[] };

/** How a row becomes a record, said once for all rows: the segments of its `modelInput`, in their order. */
export interface RecordFrame {
  segments: readonly RecordSegment[];
}

/** What a run asks of every row: texts with places for the row's values. */
export interface PromptPieces {
  prompt: readonly PromptPiece[];
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
  { prompt, system, turns = [] }: PromptPieces,
): RecordFrame {
  const bodyOf = (promptText: string, systemText: string | undefined, markerOf: (turn: number) => string) =>
    JSON.stringify(
      adapter.toModelInput(promptText, {
        ...request,
        ...(system === undefined ? {} : { systemPrompt: systemText }),
        ...(turns.length === 0
          ? {}
          : { turns: turns.map(({ role }, turn) => ({ role, text: markerOf(turn) })) }),
      }),
    );
  // Whatever the user's own texts are, a marker longer than the whole body is in none of them.
  const length = bodyOf('', '', () => '').length + 1;
  const [promptMarker, systemMarker] = ['#'.repeat(length), '+'.repeat(length)];
  const markerOf = (turn: number) => '-'.repeat(length + turn);
  let segments: RecordSegment[] = [{ kind: 'text', text: bodyOf(promptMarker, systemMarker, markerOf) }];
  segments = cutAt(segments, { marker: promptMarker, pieces: prompt, what: 'prompt', adapter });
  for (const [turn, { pieces }] of turns.entries()) {
    segments = cutAt(segments, { marker: markerOf(turn), pieces, what: `turn ${turn + 1}`, adapter });
  }
  if (system !== undefined) {
    segments = cutAt(segments, { marker: systemMarker, pieces: system, what: 'system prompt', adapter });
  }
  return { segments };
}

/** The strings of a frame that are made of a row. */
export function stringsOf({ segments }: RecordFrame): (readonly PromptPiece[])[] {
  return segments.flatMap((segment) => (segment.kind === 'string' ? [segment.pieces] : []));
}

/** The columns that a frame reads, each once. */
export function columnsOf(frame: RecordFrame): string[] {
  return [...new Set(stringsOf(frame).flatMap((pieces) => placeholdersOf(pieces)))];
}

interface Cut {
  marker: string;
  pieces: readonly PromptPiece[];
  what: string;
  adapter: ModelAdapter;
}

/** The segments with a string in the marker's place, which must be one place, and a JSON string of its own. */
function cutAt(segments: readonly RecordSegment[], { marker, pieces, what, adapter }: Cut): RecordSegment[] {
  const quoted = JSON.stringify(marker);
  let places = 0;
  const cut = segments.flatMap((segment): RecordSegment[] => {
    if (segment.kind !== 'text') return [segment];
    const texts = segment.text.split(quoted);
    places += texts.length - 1;
    return texts.flatMap((text, index): RecordSegment[] =>
      index === 0
        ? [{ kind: 'text', text }]
        : [
            { kind: 'string', pieces },
            { kind: 'text', text },
          ],
    );
  });
  if (places !== 1) {
    throw new Error(`The adapter of ${adapter.family} must put the ${what} into the body once, as it is.`);
  }
  return cut;
}
