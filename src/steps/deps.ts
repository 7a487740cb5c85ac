import type { Bedrock } from '../bedrock/bedrock.ts';
import type { BedrockAccount } from '../bedrock/bedrock-account.ts';
import type { CountTokens } from '../bedrock/count-tokens.ts';
import type { Clock } from '../core/clock.ts';
import type { Hash } from '../core/jobs/job.ts';
import type { BatchQuotas } from '../core/jobs/quotas.ts';
import type { AnsweringServer } from '../core/plan/run-plan.ts';
import type { RunEvent } from '../core/run/run-event.ts';
import type { HubAccess } from '../hub/hub-access.ts';
import type { CountText } from '../models/tokenizer.ts';
import type { FetchMedia } from '../rows/media/media-reader.ts';
import type { ObjectStore } from '../store/object-store.ts';

/** What differs between the places that a run can run in. */
export interface StepSettings {
  /** Bucket of all runs' files. */
  bucket: string;
  /** Service role that Bedrock assumes to read and write them. */
  roleArn: string;
  /** Where jobs are created; undefined on a machine, which is in no region. */
  region?: string | undefined;
  quotas: BatchQuotas;
  /** Which of them were told by the user, or to the stack; the others are AWS’s defaults. */
  quotaSources?: Partial<Record<keyof BatchQuotas, 'told' | 'stack'>>;
  /** Seconds between two looks at a job. */
  pollSeconds: number;
  /** Prepare steps at once. */
  prepareConcurrency: number;
  /** Rows that one Prepare takes at most. */
  rowsPerSlice: number;
  /** Days after which files below `working/` are deleted; undefined where nothing deletes them. */
  workingFilesDays?: number;
  /** True where a simulated model answers. */
  simulated: boolean;
  /** True where an AWS account pays for the tokens: not for a simulated model's, nor for those of a server of the user's own. */
  billed: boolean;
  /** The server that answers instead of Bedrock, if one does. */
  modelServer?: AnsweringServer;
  /** Where Bedrock is asked, if that is none of AWS's own addresses: whoever answers there is not taken for it. */
  bedrockEndpoint?: string;
  /** Quarry's own. */
  version: string;
}

/** The world, as the steps see it. */
export interface StepDeps {
  store: ObjectStore;
  bedrock: Bedrock;
  clock: Clock;
  hash: Hash;
  /** Directory for files that are used up within the step. */
  scratchDirectory: string;
  settings: StepSettings;
  /** Called by Plan before it reads or writes anything of the run; rejects where another process is working on it. */
  claimRun?: (runId: string) => Promise<void>;
  /** The account that the run is made in; undefined where there is none. */
  account?: BedrockAccount;
  /** Bedrock's own count of a record's input tokens, which costs nothing; undefined where it has none for the model. Rejects where it may not be asked. */
  countTokens?: CountTokens;
  /** Loads what counts tokens on this machine; undefined where nothing does. */
  tokenizer?: () => Promise<CountText>;
  /** The Hugging Face Hub, where it can be reached. */
  hub?: HubAccess;
  /** Fetches addresses of images and documents. @default from the internet */
  fetchMedia?: FetchMedia;
  /**
   * True where a plan is only drafted: Parquet files of the Hub are read where they are, by ranges, and not downloaded, and the
   * first rows are looked at.
   */
  isDraft?: boolean;
  /** What the plan is to tell of the dataset beside what it finds. */
  notes?: readonly string[];
  /** Aborted when nobody waits for the step any more: downloads stop, and keep what they have. */
  signal?: AbortSignal;
  /** Told of every part that Prepare finished, and of downloads as they grow. */
  onProgress?: (event: RunEvent) => void;
}

/** What planning needs of the world: no Bedrock. */
export type PlanDeps = Omit<StepDeps, 'bedrock'>;
