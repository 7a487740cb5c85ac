import { InvalidRunInputError } from '../core/errors.ts';
import type { MediaKind } from '../core/jobs/unsent-rows.ts';
import type { ModelAdapter } from './adapters/model-adapter.ts';
import type { ModelFacts } from './catalog/model-facts.ts';
import type { MediaColumn } from './record-frame.ts';

interface MediaUse {
  adapter: ModelAdapter;
  /** Undefined where nothing is known of the model. */
  facts: Pick<ModelFacts, 'name' | 'reads' | 'date'> | undefined;
}

const KEYS: Readonly<Record<MediaKind, string>> = { image: 'image_columns', document: 'document_columns' };

/**
 * What the catalogue says that a model refuses of a row's images and documents, each a sentence or two. Throws
 * InvalidRunInputError where the family's body has no place for them, or for so many.
 */
export function mediaRefusalsOf(media: readonly MediaColumn[], { adapter, facts }: MediaUse): string[] {
  return (['image', 'document'] as const).flatMap((kind) => {
    const columns = media.filter((column) => column.kind === kind).length;
    if (columns === 0) return [];
    const limits = adapter.media?.[kind];
    if (limits === undefined) {
      throw new InvalidRunInputError(
        `${KEYS[kind]}: ${adapter.family} takes no ${kind}s. Leave it out, or take another model.`,
      );
    }
    if (limits.most !== undefined && columns > limits.most) {
      throw new InvalidRunInputError(
        `${KEYS[kind]} names ${columns} columns; ${adapter.family} takes up to ${limits.most} ${limits.most === 1 ? kind : `${kind}s`} in a request.`,
      );
    }
    if (facts === undefined || facts.reads.includes(kind)) return [];
    return [
      `${KEYS[kind]}: ${facts.name} reads no ${kind}s, as far as is known (${facts.date}). \`quarry models\` says which models do.`,
    ];
  });
}
