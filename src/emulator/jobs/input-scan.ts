import { ObjectNotFoundError } from '../../core/errors.ts';
import { parseS3Uri, type S3Uri, toS3Uri } from '../../core/s3-uri.ts';
import type { ObjectInfo, ObjectStore } from '../../store/object-store.ts';
import { readLines } from './line-reader.ts';
import type { EmulatedQuotas } from './quotas.ts';
import { parseRecordLine } from './record-line.ts';

/** A stretch of an input file that is read, answered and shuffled as one. */
export interface InputWindow {
  /** First byte. */
  start: number;
  /** Last byte. */
  end: number;
  records: number;
  /** Index within the file of its first record. */
  firstRecord: number;
}

/** An input file that was read through and found to be well-formed. */
export interface ScannedFile {
  uri: S3Uri;
  /** Its name below the input prefix. */
  name: string;
  records: number;
  windows: InputWindow[];
}

/** What validation says: the files, or why the job fails. */
export type ScanResult =
  | { kind: 'valid'; files: ScannedFile[]; records: number }
  | { kind: 'invalid'; message: string };

/** Where the input is and what it may be. */
export interface ScanRequest {
  store: ObjectStore;
  inputUri: S3Uri;
  quotas: EmulatedQuotas;
  maxWindowRecords: number;
  signal: AbortSignal;
}

const MAX_WINDOW_BYTES = 256 * 1024;

/** Reads the whole input of a job, as the service does in the status Validating. Holds one line at a time. */
export async function scanInput(request: ScanRequest): Promise<ScanResult> {
  const { store, inputUri, quotas } = request;
  const objects = await findInput(store, inputUri);
  if (typeof objects === 'string') return { kind: 'invalid', message: objects };
  const limit = (what: string, value: number, max: number): ScanResult | undefined =>
    value > max
      ? {
          kind: 'invalid',
          message: `Input validation failed: ${what} is ${value}, over the maximum of ${max}.`,
        }
      : undefined;

  let bytes = 0;
  for (const { uri, size } of objects) {
    bytes += size;
    const over = limit(`the size in bytes of input file ${uri}`, size, quotas.maxBytesPerFile);
    if (over !== undefined) return over;
  }
  const overSize = limit('the size in bytes of the job', bytes, quotas.maxBytesPerJob);
  if (overSize !== undefined) return overSize;

  const files: ScannedFile[] = [];
  let records = 0;
  for (const { uri } of objects) {
    const file = await scanFile(uri, request);
    if (typeof file === 'string') return { kind: 'invalid', message: file };
    files.push(file);
    records += file.records;
    const over = limit(`the number of records in input file ${uri}`, file.records, quotas.maxRecordsPerFile);
    if (over !== undefined) return over;
  }
  const overRecords = limit('the number of records in the job', records, quotas.maxRecordsPerJob);
  if (overRecords !== undefined) return overRecords;
  if (records < quotas.minRecordsPerJob) {
    return {
      kind: 'invalid',
      message: `Batch job contains less records (${records}) than the required minimum of: ${quotas.minRecordsPerJob}`,
    };
  }
  return { kind: 'valid', files, records };
}

/** The message with which a job fails whose role cannot read an object; also when the key of its encryption is out of reach. */
export function cannotGetObject(uri: S3Uri): string {
  const { bucket, key } = parseS3Uri(uri);
  return `Could not validate GetObject permissions to access Amazon S3 bucket: ${bucket} at key ${key}`;
}

async function findInput(store: ObjectStore, inputUri: S3Uri): Promise<ObjectInfo[] | string> {
  const { bucket, key } = parseS3Uri(inputUri);
  const single = key === '' || key.endsWith('/') ? undefined : await store.head(inputUri);
  if (single !== undefined) {
    return inputUri.endsWith('.jsonl')
      ? [single]
      : `Input validation failed: ${inputUri} is not a .jsonl file.`;
  }
  const folder = toS3Uri({ bucket, key: key === '' ? '' : key.replace(/\/?$/, '/') });
  const found: ObjectInfo[] = [];
  let isEmpty = true;
  for await (const object of store.list(folder)) {
    isEmpty = false;
    if (object.uri.endsWith('.jsonl')) found.push(object);
  }
  if (isEmpty) return cannotGetObject(inputUri);
  return found.length > 0 ? found : `Input validation failed: there is no .jsonl file under ${inputUri}.`;
}

async function scanFile(uri: S3Uri, request: ScanRequest): Promise<ScannedFile | string> {
  const windows: InputWindow[] = [];
  let window: InputWindow | undefined;
  let records = 0;
  const folder = `${request.inputUri.replace(/\/$/, '')}/`;
  try {
    await using local = await request.store.fetchFile(uri);
    for await (const { line, start, end } of readLines(local.path, request.signal)) {
      const record = parseRecordLine(line);
      if (typeof record === 'string')
        return `Input validation failed: record ${records + 1} of ${uri}: ${record}.`;
      if (
        window === undefined ||
        window.records >= request.maxWindowRecords ||
        end - window.start >= MAX_WINDOW_BYTES
      ) {
        window = { start, end, records: 0, firstRecord: records };
        windows.push(window);
      }
      window.end = end;
      window.records += 1;
      records += 1;
    }
  } catch (error) {
    if (error instanceof ObjectNotFoundError) return cannotGetObject(uri);
    throw error;
  }
  const name = uri.startsWith(folder) ? uri.slice(folder.length) : uri.slice(uri.lastIndexOf('/') + 1);
  return { uri, name, records, windows };
}
