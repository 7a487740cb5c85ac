import { RunConflictError } from '../../core/errors.ts';
import type { Hash } from '../../core/jobs/job.ts';
import type { AnsweringServer, HubSource, RunPlan } from '../../core/plan/run-plan.ts';
import type { RunInput } from '../../core/run-input/run-input.ts';
import type { ObjectInfo } from '../../store/object-store.ts';

/** Characters of a derived run id before its hash. */
const MAX_STEM_LENGTH = 40;
const HASH_LENGTH = 10;

/** The text of a run's prompt; of several prompts or variants, by their ids or names. */
export type PromptTexts = string | null | Readonly<Record<string, string | null>>;

/** How a variant is asked, as far as a run's identity goes by it. */
interface AskedVariant {
  name: string | undefined;
  call: { template: string | null; templates: Readonly<Record<string, string>> | undefined };
}

/** The texts of the prompts of a run's variants. */
export function promptsOfRun(variants: readonly AskedVariant[]): PromptTexts {
  const [only] = variants;
  if (only !== undefined && only.name === undefined) return only.call.templates ?? only.call.template;
  return Object.fromEntries(variants.map(({ name, call }) => [name, call.template]));
}

/**
 * What decides the answers: the input but for run_id and limits, the prompt, the dataset at the state it is in, and the server
 * that answers, if that is not Bedrock.
 */
export function inputHashOf(
  input: Omit<RunInput, 'run_id'>,
  template: PromptTexts,
  { source, hash, modelServer }: IdentitySource,
): string {
  const server = modelServer === undefined ? [] : [modelServer];
  return hash(JSON.stringify([inHashedOrder(withoutLimits(input)), template, source, ...server]));
}

/**
 * Keys in the order that hashes have been made in since the first run: another order would give the same document another
 * run id, and every row would be paid for again. Keys that are not in it follow by name.
 */
const HASHED_ORDER: readonly string[] = [
  ...['s3_uri', 'dataset_id', 'split', 'config_name', 'revision'],
  ...['format', 'csv_delimiter', 'csv_quote', 'csv_encoding', 'csv_ragged'],
  ...['job_name_prefix', 'model_id', 'base_model_id', 'prompt_id', 'prompt_template', 'system_prompt'],
  ...['inference_parameters', 'text_column', 'record_id_column'],
  ...['output_column', 'output_schema', 'output_prefix'],
  ...['max_num_jobs', 'max_records_per_job', 'max_records', 'max_attempts'],
  ...['retry_truncated', 'retry_refused', 'pilot', 'dedupe'],
];

function inHashedOrder(input: Record<string, unknown>): Record<string, unknown> {
  const placeOf = (key: string) => HASHED_ORDER.indexOf(key) + 1 || HASHED_ORDER.length + 1;
  return Object.fromEntries(
    Object.entries(input).sort(([a], [b]) => placeOf(a) - placeOf(b) || (a < b ? -1 : 1)),
  );
}

/** What a run's identity is made of, beside its input. */
export interface IdentitySource {
  source: HubSource | readonly ObjectInfo[];
  hash: Hash;
  modelServer?: AnsweringServer | undefined;
}

/** The run's id: the one that was given, or what the run is about and a hash of its input. */
export function runIdOf(input: RunInput, inputHash: string): string {
  if (input.run_id !== undefined) return input.run_id;
  const stem = (input.job_name_prefix ?? input.prompt_id ?? '')
    .replace(/[^a-zA-Z0-9]+/g, '-')
    .slice(0, MAX_STEM_LENGTH)
    .replace(/^-|-$/g, '');
  return `${stem || 'run'}-${inputHash.slice(0, HASH_LENGTH)}`;
}

/** Keys of the run input that decide no answer: they may be others when a run goes on. */
const LIMIT_KEYS = [
  'max_cost_usd',
  'budget_mode',
  'expect_output_tokens',
  'prices',
  'timeout_hours',
  'max_concurrent_jobs',
  'pilot_rows',
  'fail_on',
  'force',
  'files_folder',
] as const;

/**
 * What a run may cost, how long its jobs may take and how many there are at once, which answers count as none, that the catalogue
 * is overruled, and where its images lie: where that may be another place, `refuseOtherFolder` says.
 */
export type RunLimits = Pick<RunInput, (typeof LIMIT_KEYS)[number]>;

/** The limits in a run input; those that it does not have are absent. */
export function limitsOf(input: RunLimits): RunLimits {
  return Object.fromEntries(
    LIMIT_KEYS.filter((key) => input[key] !== undefined).map((key) => [key, input[key]]),
  );
}

/** The input without its limits, which decide no answer. */
export function withoutLimits(input: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(input).filter(([key]) => !LIMIT_KEYS.some((limit) => limit === key)),
  );
}

/** Throws RunConflictError where a run of this id is answered by somebody else: answers of two models must not mix. */
export function refuseOtherServer(known: RunPlan, modelServer: AnsweringServer | undefined): void {
  const [before, now] = [serverName(known.model_server), serverName(modelServer)];
  if (before === now) return;
  throw new RunConflictError(
    `Run "${known.run_id}" is answered by ${before}, and not by ${now}: the answers of two models must not mix. Give another run_id, or leave --model-endpoint and --endpoint-model as they were.`,
  );
}

/**
 * Throws RunConflictError where a run of this id reads what its rows name from another folder: the names are the same, and
 * nobody knows whether the files are.
 */
export function refuseOtherFolder(
  known: RunPlan,
  { files_folder: now }: Pick<RunInput, 'files_folder'>,
): void {
  const { files_folder: before, image_columns, document_columns } = known.input as Partial<RunInput>;
  if (before === now) return;
  const columns = [image_columns ?? [], document_columns ?? []].flat();
  const isNamed = known.dataset.columns.some(({ name, type }) => columns.includes(name) && type !== 'BLOB');
  if (!isNamed) return;
  const nameOf = (folder: string | undefined) => folder ?? 'the folder of its dataset';
  throw new RunConflictError(
    `Run "${known.run_id}" reads its images and documents from ${nameOf(before)}, and not from ${nameOf(now)}. To go on with it, resume it, or give that files_folder; to run these, give another run_id.`,
  );
}

function serverName(server: AnsweringServer | undefined): string {
  if (server === undefined) return 'the model itself, or a simulation of it';
  return server.model === null ? server.url : `${server.model} at ${server.url}`;
}

/** Tags that version 0.1.0 gave to files of a folder: they hold for one place only. */
const TAG_OF_PLACE = /^[0-9a-f]+-[0-9a-f]+-[0-9a-f]+$/;

function filesThatDiffer({ dataset, quarry_version }: RunPlan): string {
  return dataset.files.some(({ etag }) => TAG_OF_PLACE.test(etag))
    ? `the dataset’s files (or their place: Quarry ${quarry_version} knew files by it)`
    : 'the dataset’s files';
}

/** Throws RunConflictError, with what differs, where a run of this id was planned from another input. */
export function refuseOtherInput(
  known: RunPlan,
  input: Record<string, unknown>,
  inputHash: string,
  files: readonly ObjectInfo[],
): void {
  if (known.input_hash === inputHash) return;
  const knownInput = withoutLimits(known.input);
  const keys = [...new Set([...Object.keys(knownInput), ...Object.keys(input)])];
  const changed = keys.filter((key) => JSON.stringify(knownInput[key]) !== JSON.stringify(input[key]));
  const same = (file: ObjectInfo) =>
    known.dataset.files.some(({ uri, etag }) => uri === file.uri && etag === file.etag);
  if (files.length !== known.dataset.files.length || !files.every(same)) changed.push(filesThatDiffer(known));
  if (changed.length === 0) changed.push('the text of the prompt');
  throw new RunConflictError(
    `Run "${known.run_id}" exists, with another input: ${changed.join(', ')} differ. Give another run_id, or the same input to resume.`,
  );
}
