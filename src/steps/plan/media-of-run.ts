import { InvalidRunInputError } from '../../core/errors.ts';
import { columnGiven, givenName } from '../../core/plan/names-apart.ts';
import type { Dataset } from '../../core/plan/part.ts';
import type { RunInput } from '../../core/run-input/run-input.ts';
import { privately } from '../../core/text/private-text.ts';
import { createMediaFetcher } from '../../rows/media/fetch-media.ts';
import { openMediaReader } from '../../rows/media/media-reader.ts';
import type { RowMedia } from '../../rows/media/media-records.ts';
import { type MediaSample, sampleMedia } from '../../rows/media/media-sample.ts';
import { mediaShapeOf } from '../../rows/media/media-sql.ts';
import type { LocalDatasetFile } from '../../rows/sources/describe-dataset.ts';
import type { StepDeps } from '../deps.ts';
import type { ModelCall } from './model-call.ts';

/** The keys that name columns of images and documents. */
const KEYS = { image: 'image_columns', document: 'document_columns' } as const;

/** Throws InvalidRunInputError where the dataset lacks a column of images or documents, or has something else in it. */
export function checkMediaColumns(
  input: RunInput,
  { media }: ModelCall,
  { columns }: Pick<Dataset, 'columns'>,
): void {
  for (const { kind, column } of media) {
    const found = columnGiven(columns, column);
    if (found === undefined) {
      throw new InvalidRunInputError(
        `${KEYS[kind]} names "${column}", which is not a column of the dataset. It has ${privately(columns.map(({ name }) => givenName(name)).join(', '))}.`,
      );
    }
    const shape = mediaShapeOf(found);
    if (shape === undefined) {
      throw new InvalidRunInputError(
        `${KEYS[kind]}: column "${column}" is ${found.type}. It must have texts that name files, bytes (BLOB), or Hugging Face’s struct of bytes and path.`,
      );
    }
    const telling = (['dedupe', 'reuse'] as const).find((key) => input[key] === true);
    if (telling !== undefined && shape !== 'bytes') {
      throw new InvalidRunInputError(
        `${telling} tells ${kind}s apart by their bytes, and column "${column}" has names of files, whose bytes may change after the plan. Leave ${telling} out, or put the bytes into the dataset.`,
      );
    }
  }
}

/** What reads the images and documents of a run; undefined where it has none. */
export async function openMediaOfRun(
  input: RunInput,
  { adapter, media }: ModelCall,
  {
    dataset,
    store,
    fetchMedia = createMediaFetcher(),
  }: { dataset: Pick<Dataset, 'files'> } & Pick<StepDeps, 'store' | 'fetchMedia'>,
): Promise<RowMedia | undefined> {
  if (media.length === 0 || adapter.media === undefined) return undefined;
  const reader = await openMediaReader({
    folder: input.files_folder ?? commonFolderOf(dataset.files.map(({ uri }) => uri)),
    store,
    fetchMedia: input.fetch === true ? fetchMedia : undefined,
  });
  return { support: adapter.media, reader };
}

/** The deepest folder that all of these objects are in. */
function commonFolderOf(uris: readonly string[]): string {
  const [first = '', ...others] = uris.map((uri) => uri.slice(0, uri.lastIndexOf('/') + 1));
  let common = first;
  for (const folder of others) {
    while (!folder.startsWith(common)) common = common.slice(0, common.slice(0, -1).lastIndexOf('/') + 1);
  }
  return common;
}

/** What a run's images and documents add to its size and price. */
export interface MediaSize extends Pick<MediaSample, 'meanBytes' | 'meanTokens'> {
  notes: string[];
}

/**
 * Looks at images and documents of a few rows. Throws InvalidRunInputError where none of them can be sent, unless the input
 * has `force`.
 */
export async function measureMedia(
  input: RunInput,
  { adapter, media: columns, maxTokens }: ModelCall,
  {
    dataset,
    local,
    media,
  }: { dataset: Dataset; local: readonly LocalDatasetFile[]; media: RowMedia | undefined },
): Promise<MediaSize> {
  if (media === undefined) return { meanBytes: 0, meanTokens: 0, notes: [] };
  const {
    rows,
    faulty,
    firstFault = { code: '', message: '' },
    meanBytes,
    meanTokens,
  } = await sampleMedia(local, dataset, { columns, media });
  if (rows > 0 && faulty === rows && input.force !== true) {
    throw new InvalidRunInputError(
      `${rows === 1 ? 'The one row that was looked at cannot' : `Of the ${rows} rows that were looked at, none can`} be sent: ${privately(firstFault.message, `${firstFault.code}.`)} Nothing was spent. To run it all the same, give force.`,
    );
  }
  const isCounted = adapter.media?.imageTokens !== undefined;
  const hasDocuments = columns.some(({ kind }) => kind === 'document');
  const hasImages = columns.some(({ kind }) => kind === 'image');
  const uncounted = [hasImages && !isCounted ? 'images' : [], hasDocuments ? 'documents' : []].flat();
  return {
    meanBytes,
    meanTokens,
    notes: [
      faulty === 0
        ? []
        : `${faulty} of ${rows} rows that were looked at cannot be sent, and cost nothing: ${firstFault.message}`,
      hasImages && isCounted
        ? `Images are counted by Anthropic’s rule, width × height / 750 tokens once they are made smaller: about ${Math.round(meanTokens)} tokens a row.`
        : [],
      uncounted.length > 0 && maxTokens !== 0
        ? `Tokens of ${uncounted.join(' and ')} are not in the estimate: how many a model counts is not known beforehand.`
        : [],
      uncounted.length > 0 && maxTokens === 0 ? 'What an image costs is not in the estimate.' : [],
    ].flat(),
  };
}
