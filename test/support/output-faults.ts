import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import pLimit from 'p-limit';
import type { Clock } from '../../src/core/clock.ts';
import type { S3Uri } from '../../src/core/s3-uri.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';

/** How a job’s output is not what it should be, from when it is first looked at, and for how long. */
export interface OutputFault {
  /** 1 for the first job whose output is looked at. */
  job: number;
  how: 'absent' | 'gzipped' | 'glued' | 'cut-off' | 'renamed';
  forMs: number;
}

/** A store in which output comes late, or otherwise than is documented. */
export interface FaultyOutputs {
  store: ObjectStore;
  /** Puts every output where and as it should be. */
  heal(): Promise<void>;
  /** Puts where they should be those that are all there. */
  tidy(): Promise<void>;
  /** What is not there now never comes. */
  loseForGood(): void;
}

interface Spoilt {
  how: OutputFault['how'];
  original: Buffer;
  spoiltUri: S3Uri | undefined;
  healsAtMs: number;
}

const OUTPUT = /\/model-output\/[^/]+\/([a-z0-9]{12})\/[^/]+\.jsonl\.out$/;

/** Spoils the output of some jobs. */
export function spoilOutputs(
  store: ObjectStore,
  { clock, faults }: { clock: Clock; faults: readonly OutputFault[] },
): FaultyOutputs {
  const jobs: string[] = [];
  const spoilt = new Map<S3Uri, Spoilt>();
  const oneByOne = pLimit(1);

  const restore = async (uri: S3Uri, { original, spoiltUri }: Spoilt) => {
    if (spoiltUri !== undefined && spoiltUri !== uri) await store.delete(spoiltUri);
    await store.write(uri, original);
  };
  const look = async (prefix: S3Uri) => {
    for (const [uri, object] of spoilt) {
      if (object.healsAtMs > clock.now()) continue;
      await restore(uri, object);
      object.healsAtMs = Number.POSITIVE_INFINITY;
      object.spoiltUri = uri;
    }
    for (const { uri } of await Array.fromAsync(store.list(prefix))) {
      const job = OUTPUT.exec(uri)?.[1];
      if (job === undefined || spoilt.has(uri)) continue;
      if (!jobs.includes(job)) jobs.push(job);
      const fault = faults.find((candidate) => candidate.job === jobs.indexOf(job) + 1);
      if (fault === undefined) continue;
      const original = await buffer(await store.readStream(uri));
      const { spoiltUri, body } = spoil(uri, original, fault.how);
      await store.delete(uri);
      if (body !== undefined) await store.write(spoiltUri, body);
      spoilt.set(uri, {
        how: fault.how,
        original,
        spoiltUri: body === undefined ? undefined : spoiltUri,
        healsAtMs: clock.now() + fault.forMs,
      });
    }
  };

  return {
    store: {
      ...store,
      list: async function* (prefix) {
        if (prefix.includes('/model-output/')) await oneByOne(() => look(prefix));
        yield* store.list(prefix);
      },
    },
    heal: async () => {
      for (const [uri, object] of spoilt) await restore(uri, object);
    },
    tidy: async () => {
      for (const [uri, object] of spoilt) if (!isLoss(object)) await restore(uri, object);
    },
    loseForGood: () => {
      for (const object of spoilt.values()) if (isLoss(object)) object.healsAtMs = Number.POSITIVE_INFINITY;
    },
  };
}

function isLoss({ how }: Spoilt): boolean {
  return how === 'absent' || how === 'cut-off';
}

function spoil(uri: S3Uri, original: Buffer, how: OutputFault['how']): { spoiltUri: S3Uri; body?: Buffer } {
  switch (how) {
    case 'absent':
      return { spoiltUri: uri };
    case 'gzipped':
      return { spoiltUri: `${uri}.gz`, body: gzipSync(original) };
    case 'glued':
      return { spoiltUri: uri, body: Buffer.from(original.toString().replaceAll('}\n{', '}{')) };
    case 'cut-off':
      return { spoiltUri: uri, body: original.subarray(0, Math.floor(original.length / 2)) };
    case 'renamed':
      return { spoiltUri: uri.replace(/\.jsonl\.out$/, '.json') as S3Uri, body: original };
  }
}
