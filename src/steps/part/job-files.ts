import { type JobManifest, parseJobManifest } from '../../core/jobs/job-manifest.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import type { ObjectInfo, ObjectStore } from '../../store/object-store.ts';

/** What a part's job, or its on-demand run, has left. */
export interface JobFiles {
  outputs: ObjectInfo[];
  /** Undefined where there is none, or none that can be read. */
  manifest: JobManifest | undefined;
}

const MANIFEST_NAME = /^manifest\.json/;
/** Bedrock and S3 leave such files where they try whether they may write. */
const IS_NO_OUTPUT = /^[._]|\.temp$|^amazon-bedrock-validation/;
/** A job's id, which is the name of its folder. https://docs.aws.amazon.com/bedrock/latest/APIReference/API_GetModelInvocationJob.html */
const JOB_ID = /^[a-z0-9]{12}$/;

/**
 * The objects below a part's output that are of this job, or of its on-demand run; of an earlier run's job of the same part
 * none. Names are not held against them: some services compress, or name otherwise.
 */
export async function readJobFiles(
  { outputUri, jobArn }: { outputUri: S3Uri; jobArn: string | null },
  store: ObjectStore,
): Promise<JobFiles> {
  const folder = `${outputUri}/`;
  const jobId = jobArn?.split('/').at(-1);
  const own: ObjectInfo[] = [];
  const loose: ObjectInfo[] = [];
  for await (const info of store.list(folder as S3Uri)) {
    const path = info.uri.slice(folder.length).split('/');
    if (IS_NO_OUTPUT.test(path.at(-1) ?? '')) continue;
    if (jobId !== undefined && path[0] === jobId) own.push(info);
    else if (path.length === 1 || !JOB_ID.test(path[0] ?? '')) loose.push(info);
  }
  const files = own.length > 0 ? own : loose;
  const isManifest = ({ uri }: ObjectInfo) => MANIFEST_NAME.test(uri.slice(uri.lastIndexOf('/') + 1));
  const manifest = files.find(isManifest);
  return {
    outputs: files.filter((info) => !isManifest(info)),
    manifest: manifest && parseJobManifest(new TextDecoder().decode(await store.read(manifest.uri))),
  };
}
