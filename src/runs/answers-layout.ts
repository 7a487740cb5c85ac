import { joinS3Uri, type S3Uri } from '../core/s3-uri.ts';

/** Characters of a model's id, and of the digest behind it, in the name of its folder. */
const NAME_LENGTH = { model: 60, digest: 12 };

/** Folder of all answers that runs of a bucket have kept, beside `runs/`. */
export function answersUri(bucket: string): S3Uri {
  return `s3://${bucket}/answers/`;
}

/** Who gave answers: all of one folder are of one model, asked in one way. */
export interface AnswersFolder {
  modelId: string;
  /** Of all that tells those who answer apart. */
  digest: string;
}

/** Folder of one model's answers; ends in `/`. */
export function answersFolderUri(bucket: string, { modelId, digest }: AnswersFolder): S3Uri {
  const model = modelId
    .split('/')
    .at(-1)
    ?.replaceAll(/[^a-zA-Z0-9.-]+/g, '-')
    .slice(0, NAME_LENGTH.model);
  return `${answersUri(bucket)}${model}-${digest.slice(0, NAME_LENGTH.digest)}/`;
}

/** The file of a part's answers; a run that was deleted and planned anew has others. */
export function answersFileUri(
  folder: S3Uri,
  { runId, plannedAt, partId }: { runId: string; plannedAt: string; partId: string },
): S3Uri {
  return joinS3Uri(folder, `${runId}.${Date.parse(plannedAt).toString(36)}.${partId}.parquet`);
}
