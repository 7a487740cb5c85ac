import { isSideBySide, type RunPlan } from '../core/plan/run-plan.ts';
import { joinS3Uri, type S3Uri } from '../core/s3-uri.ts';

/** Every key of a run, in one place. Bedrock allows no `=`, space, `@` or `//` in them. */
export interface RunLayout {
  runUri: S3Uri;
  /** What the run is of: input, dataset, packing, price. Written once. */
  plan: S3Uri;
  /** The items of Prepare's Distributed Map. */
  slices: S3Uri;
  /** What one slice reads, and its parts. */
  slice(slice: number): S3Uri;
  /** The records of the dataset that were left out; there where some were. */
  skipped: S3Uri;
  /** Both once more: a plan that was lost could not be made again, as the jobs are named after the moment of it. */
  planCopy: S3Uri;
  sliceCopy(slice: number): S3Uri;
  /** The rows that get the answer of an identical request; there where identical requests are sent once. */
  duplicates: S3Uri;
  /** The answers of former runs that rows of this one get, by what the file is; and which file that is, by the run's input. */
  laid(sha256: string): S3Uri;
  laidPin(inputHash: string): S3Uri;
  /** The parts that one slice left, once all of them are there. */
  sliceParts(slice: number): S3Uri;
  /** What Prepare says of a part, written after its two files. */
  part(partId: string): S3Uri;
  /** The part's records: the input file of its job. */
  records(partId: string): S3Uri;
  /** How long each of its records is, so that a few can be read without the others. */
  recordLengths(partId: string): S3Uri;
  /** What these files were when they were written; there where the store is a disk. */
  partFiles(partId: string): S3Uri;
  /** The part's rows. */
  rows(partId: string): S3Uri;
  /** The parts of a wave. */
  waveParts(wave: number): S3Uri;
  /** The items of Run jobs' Distributed Map. */
  waveItems(wave: number): S3Uri;
  /** What Submit did for a part. */
  job(partId: string): S3Uri;
  /** Where a part's job, or its on-demand run, leaves its output. */
  modelOutput(partId: string): S3Uri;
  /** One answer of an on-demand run, kept as soon as it is paid for. */
  onDemandAnswer(partId: string, index: number): S3Uri;
  /** Why a part's job cannot be created yet; not beside the records of jobs, which others list. */
  submitWaiting(partId: string): S3Uri;
  /** Why a step of the whole run is tried again; beside those. */
  stepWaiting(step: string): S3Uri;
  /** Why an on-demand run has to wait. */
  onDemandWaiting(partId: string): S3Uri;
  /** What became of a part's rows. */
  ledger(partId: string): S3Uri;
  /** Why a part could not be collected the last time. */
  fault(partId: string): S3Uri;
  /** A part's rows with their answers, for good. */
  output(partId: string): S3Uri;
  /** The same, of a part of one of several variants, which stand side by side in the output. */
  variantOutput(partId: string): S3Uri;
  /** What is in the output file that is named after a part of the first variant, with the rows of all. */
  joined(partId: string): S3Uri;
  /** What one turn made of a part's rows, where some are owed afterwards, and of a repair part's. */
  result(partId: string): S3Uri;
  /** What the parts to be merged go through, once the waves are done. */
  mergePlan(wave: number): S3Uri;
  /** The items of Merge's Distributed Map. */
  mergeItems(wave: number): S3Uri;
  /** What became of a part's rows once its repairs are in. */
  merged(partId: string): S3Uri;
  /** Says that nothing more may be sent, and why. */
  stop: S3Uri;
  /** Says what broke the run the last time, until somebody is working on it again. */
  failure: S3Uri;
  /** Says that the run was taken up again after it had been stopped. */
  resumed: S3Uri;
  /** Where a Map state writes its own results. */
  mapResults: S3Uri;
  summary: S3Uri;
  /** The page that shows it to people. */
  report: S3Uri;
  /** There while the run is cancelled: written by `quarry cancel`, deleted by `quarry resume`. */
  cancellation: S3Uri;
  /** Says which process is working on the run, or was the last one; beside the run, which may never come to be. */
  lock: S3Uri;
}

/** Folder of all runs in a bucket. */
export function runsUri(bucket: string): S3Uri {
  return `s3://${bucket}/runs/`;
}

/** Folder of all Hugging Face datasets in a bucket. */
export function hubDatasetsUri(bucket: string): S3Uri {
  return `s3://${bucket}/datasets/hf`;
}

/** Where a run's results and records live; what is only needed while it runs is below `working/`. */
export function runUriOf(bucket: string, runId: string): S3Uri {
  return `s3://${bucket}/runs/${runId}`;
}

/** The keys of the run at `runUri`. */
export function runLayout(runUri: S3Uri): RunLayout {
  const at = (...path: string[]) => joinS3Uri(runUri, ...path);
  // A folder of their own, so that a lifecycle rule can delete them: it knows prefixes only.
  const workingUri = runUri.replace(/\/runs\/([^/]+)\/?$/, '/working/$1') as S3Uri;
  const atWorking = (...path: string[]) => joinS3Uri(workingUri, ...path);
  return {
    runUri,
    plan: at('plan.json'),
    slices: at('slices.json'),
    slice: (slice) => at('slices', `${String(slice).padStart(5, '0')}.json`),
    skipped: at('skipped.jsonl'),
    planCopy: atWorking('planned', 'plan.json'),
    sliceCopy: (slice) => atWorking('planned', `${String(slice).padStart(5, '0')}.json`),
    duplicates: atWorking('duplicates.parquet'),
    laid: (sha256) => atWorking('laid', `${sha256.slice(0, 32)}.parquet`),
    laidPin: (inputHash) => atWorking('laid', `${inputHash.slice(0, 32)}.json`),
    sliceParts: (slice) => atWorking('slices', `${String(slice).padStart(5, '0')}.json`),
    part: (partId) => atWorking('parts', partId, 'part.json'),
    records: (partId) => atWorking('parts', partId, 'records.jsonl'),
    recordLengths: (partId) => atWorking('parts', partId, 'records.lengths'),
    partFiles: (partId) => atWorking('parts', partId, 'files.json'),
    rows: (partId) => atWorking('parts', partId, 'rows.parquet'),
    waveParts: (wave) => at('waves', String(wave), 'parts.json'),
    waveItems: (wave) => at('waves', String(wave), 'items.json'),
    job: (partId) => at('jobs', `${partId}.json`),
    modelOutput: (partId) => atWorking('model-output', partId),
    onDemandAnswer: (partId, index) =>
      atWorking('model-output', partId, 'on-demand', `${String(index).padStart(5, '0')}.jsonl.out`),
    submitWaiting: (partId) => at('jobs', 'waiting', `${partId}.json`),
    stepWaiting: (step) => at('jobs', 'waiting', `step-${step}.json`),
    onDemandWaiting: (partId) => atWorking('model-output', partId, 'on-demand', '.waiting.json'),
    ledger: (partId) => at('ledger', `${partId}.json`),
    fault: (partId) => at('faults', `${partId}.json`),
    output: (partId) => at('output', `${partId}.parquet`),
    variantOutput: (partId) => at('variants', `${partId}.parquet`),
    joined: (partId) => at('joined', `${partId}.json`),
    result: (partId) => atWorking('results', `${partId}.parquet`),
    mergePlan: (wave) => at('waves', String(wave), 'merge.json'),
    mergeItems: (wave) => at('waves', String(wave), 'merge-items.json'),
    merged: (partId) => at('merged', `${partId}.json`),
    stop: at('stop.json'),
    failure: at('failure.json'),
    resumed: at('resumed.json'),
    mapResults: atWorking('map-results'),
    summary: at('summary.json'),
    report: at('report.html'),
    cancellation: at('cancel.json'),
    lock: runUri.replace(/\/runs\/([^/]+)$/, '/locks/$1.json') as S3Uri,
  };
}

/** Where the final rows of a part are: of one of several variants, apart from the output, where all stand side by side. */
export function ownOutputOf(
  plan: Pick<RunPlan, 'variants'>,
  layout: Pick<RunLayout, 'output' | 'variantOutput'>,
  partId: string,
): S3Uri {
  return isSideBySide(plan) ? layout.variantOutput(partId) : layout.output(partId);
}
