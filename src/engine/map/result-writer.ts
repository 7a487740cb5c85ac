import { compileTemplate } from '../data/payload-template.ts';
import type { ResultWriter } from '../definition/amazon-states-language.ts';
import type { Visit } from '../definition/prepared-state.ts';
import { inField, StateError, stateErrorFrom } from '../state-error.ts';
import type { ChildResult } from './child-execution.ts';

/** Characters after which a result file is written; what comes later goes into the next. */
const MAX_FILE_LENGTH = 8 * 1024 * 1024;

/** Takes the children's results, and writes them to S3. */
export interface ResultFiles {
  add(result: ChildResult): Promise<void>;
  /** Writes the rest and the manifest; gives the Map state's result. */
  finish(): Promise<unknown>;
}

interface Target {
  bucket: string;
  folder: string;
  put: (key: string, body: string) => Promise<void>;
}

/** SUCCEEDED_n.json, FAILED_n.json and manifest.json under `<Prefix>/<Map Run's UUID>/`. */
export function prepareResultWriter(
  writer: ResultWriter,
): (data: unknown, visit: Visit, mapRunArn: string) => ResultFiles {
  const parameters = inField('ResultWriter.Parameters', () => compileTemplate(writer.Parameters));
  return (data, { context, frame }, mapRunArn) => {
    const { clock, objects, random } = frame.deps;
    const { Bucket, Prefix } = parameters({ data, context, random }) as Record<string, unknown>;
    if (typeof Bucket !== 'string' || (Prefix !== undefined && typeof Prefix !== 'string'))
      throw new StateError('States.ResultWriterFailed', 'Bucket and Prefix must be strings');
    const uuid = mapRunArn.slice(mapRunArn.lastIndexOf(':') + 1);
    const folder = Prefix ? `${Prefix.replace(/\/+$/, '')}/${uuid}` : uuid;
    const put = async (key: string, body: string) => {
      try {
        await clock.busy(() => objects.putObject(Bucket, key, body));
      } catch (error) {
        throw stateErrorFrom(error, {
          error: 'States.ResultWriterFailed',
          what: `Cannot write s3://${Bucket}/${key}`,
        });
      }
    };
    return createResultFiles({ bucket: Bucket, folder, put }, mapRunArn);
  };
}

function createResultFiles({ bucket, folder, put }: Target, mapRunArn: string): ResultFiles {
  const succeeded = createResultFile(`${folder}/SUCCEEDED`, put);
  const failed = createResultFile(`${folder}/FAILED`, put);
  return {
    add: (result) => (result.Status === 'SUCCEEDED' ? succeeded : failed).add(result),
    finish: async () => {
      const ResultFiles = { FAILED: await failed.finish(), PENDING: [], SUCCEEDED: await succeeded.finish() };
      const key = `${folder}/manifest.json`;
      await put(key, JSON.stringify({ DestinationBucket: bucket, MapRunArn: mapRunArn, ResultFiles }));
      return { MapRunArn: mapRunArn, ResultWriterDetails: { Bucket: bucket, Key: key } };
    },
  };
}

function createResultFile(prefix: string, put: Target['put']) {
  const written: { Key: string; Size: number }[] = [];
  let pending: string[] = [];
  let pendingLength = 0;
  const flush = async () => {
    const Key = `${prefix}_${written.length}.json`;
    const body = `[${pending.join(',')}]`;
    // Counted and emptied before the write, so that results that come meanwhile go into the next file.
    written.push({ Key, Size: Buffer.byteLength(body) });
    pending = [];
    pendingLength = 0;
    await put(Key, body);
  };
  return {
    add: async (result: ChildResult) => {
      const text = JSON.stringify(result);
      pending.push(text);
      pendingLength += text.length;
      if (pendingLength >= MAX_FILE_LENGTH) await flush();
    },
    finish: async () => {
      if (pending.length > 0) await flush();
      return written;
    },
  };
}
