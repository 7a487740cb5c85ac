import { InvalidDatasetError } from '../../core/errors.ts';
import type { DatasetFormat } from '../../core/plan/part.ts';
import type { GivenFormat } from '../../core/run-input/dataset-input.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import { listed } from './listed.ts';
import { KNOWN_ENDINGS, parseSourceName } from './source-name.ts';

/** The format that was given, or that the files' names say; throws InvalidDatasetError where they differ or say nothing. */
export function formatOf(uris: readonly S3Uri[], given?: GivenFormat): DatasetFormat {
  const [first] = uris;
  if (first === undefined) throw new InvalidDatasetError('The dataset has no files.');
  const formats = uris.map((uri) => ({ uri, format: parseSourceName(uri, given)?.format }));
  const unknown = formats.filter(({ format }) => format === undefined).map(({ uri }) => uri);
  if (unknown.length > 0) {
    throw new InvalidDatasetError(
      `The names of ${listed(unknown)} do not say what they contain. A dataset's files end in ${KNOWN_ENDINGS}.`,
    );
  }
  const format = parseSourceName(first, given)?.format;
  const other = formats.find((candidate) => candidate.format !== format);
  if (format === undefined || other !== undefined) {
    throw new InvalidDatasetError(
      `The dataset mixes formats: ${first} is ${format}, ${other?.uri} is ${other?.format}. Give files of one format.`,
    );
  }
  return format;
}
