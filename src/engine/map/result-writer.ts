import { compileTemplate } from '../data/payload-template.ts';
import type { ResultWriter } from '../definition/amazon-states-language.ts';
import { scopeOf, type Visit } from '../definition/prepared-state.ts';
import { inField, StateError, stateErrorFrom } from '../state-error.ts';
import { type ChildResults, type EndedChild, ResultArray } from './child-results.ts';
import { type PutText, ResultFile } from './result-file.ts';

/** Opens the place for the results of a Map Run. */
export type OpenResults = (data: unknown, visit: Visit, mapRunArn: string) => ChildResults;

/** Into the state's output, or by a ResultWriter into files under `<Prefix>/<Map Run's UUID>/`. */
export function prepareResults(writer: ResultWriter | undefined): OpenResults {
  if (writer === undefined) return () => new ResultArray();
  const parameters = inField('ResultWriter.Parameters', () => compileTemplate(writer.Parameters));
  return (data, visit, mapRunArn) => {
    const { Bucket, Prefix } = parameters(scopeOf(data, visit)) as Record<string, unknown>;
    if (typeof Bucket !== 'string' || (Prefix !== undefined && typeof Prefix !== 'string'))
      throw new StateError('States.ResultWriterFailed', 'Bucket and Prefix must be strings');
    const uuid = mapRunArn.slice(mapRunArn.lastIndexOf(':') + 1);
    const folder = Prefix ? `${Prefix.replace(/\/+$/, '')}/${uuid}` : uuid;
    return new WrittenResults({ bucket: Bucket, folder, put: putInto(Bucket, visit) }, mapRunArn);
  };
}

/** SUCCEEDED_n.json, FAILED_n.json and, at the end, manifest.json. */
class WrittenResults implements ChildResults {
  readonly #bucket: string;
  readonly #folder: string;
  readonly #put: PutText;
  readonly #mapRunArn: string;
  readonly #succeeded: ResultFile;
  readonly #failed: ResultFile;

  constructor({ bucket, folder, put }: { bucket: string; folder: string; put: PutText }, mapRunArn: string) {
    this.#bucket = bucket;
    this.#folder = folder;
    this.#put = put;
    this.#mapRunArn = mapRunArn;
    this.#succeeded = new ResultFile(`${folder}/SUCCEEDED`, put);
    this.#failed = new ResultFile(`${folder}/FAILED`, put);
  }

  async add(_childIndex: number, { result }: EndedChild): Promise<void> {
    await (result.Status === 'SUCCEEDED' ? this.#succeeded : this.#failed).add(result);
  }

  async finish(): Promise<unknown> {
    const FAILED = await this.#failed.finish();
    const ResultFiles = { FAILED, PENDING: [], SUCCEEDED: await this.#succeeded.finish() };
    const manifest = { DestinationBucket: this.#bucket, MapRunArn: this.#mapRunArn, ResultFiles };
    const Key = `${this.#folder}/manifest.json`;
    await this.#put(Key, JSON.stringify(manifest));
    return { MapRunArn: this.#mapRunArn, ResultWriterDetails: { Bucket: this.#bucket, Key } };
  }
}

function putInto(bucket: string, { frame }: Visit): PutText {
  const { clock, objects } = frame.deps;
  return async (key, body) => {
    try {
      await clock.busy(() => objects.putObject(bucket, key, body));
    } catch (error) {
      throw stateErrorFrom(error, {
        error: 'States.ResultWriterFailed',
        what: `Cannot write s3://${bucket}/${key}`,
      });
    }
  };
}
