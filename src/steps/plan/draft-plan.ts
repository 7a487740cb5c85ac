import { isDeepStrictEqual } from 'node:util';
import { InvalidRunInputError } from '../../core/errors.ts';
import { recordsPerJobLimit } from '../../core/jobs/quotas.ts';
import type { Slice } from '../../core/plan/part.ts';
import { plannedRecords, RunPlan } from '../../core/plan/run-plan.ts';
import {
  type InputVariant,
  parseRunInput,
  type RunInput,
  variantsOf,
} from '../../core/run-input/run-input.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import { parseModelId } from '../../models/catalog/model-id.ts';
import { choosesPrompts } from '../../models/record-frame.ts';
import { samplePromptBytes } from '../../rows/sources/prompt-sample.ts';
import { type RunLayout, runLayout, runUriOf } from '../../runs/run-layout.ts';
import { readJsonIfPresent } from '../../store/json-object.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import type { PlanDeps } from '../deps.ts';
import { type ModelBehind, modelBehindOf, quotasOfModels } from './ask-account.ts';
import { estimateCost } from './cost-estimate.ts';
import { countForPlan } from './count-input.ts';
import { type DatasetSource, filesAsPlanned, openDatasetSource, withDatasetFiles } from './dataset-files.ts';
import { type ModelCall, modelCallOf } from './model-call.ts';
import { makePlan } from './new-plan.ts';
import type { PackedReuse } from './pack-dataset.ts';
import { type PlanPreview, previewPlan } from './plan-preview.ts';
import { isAskedBy } from './prompt-choice.ts';
import {
  type IdentitySource,
  inputHashOf,
  limitsOf,
  promptsOfRun,
  type RunLimits,
  refuseOtherFolder,
  refuseOtherInput,
  refuseOtherServer,
  runIdOf,
  withoutLimits,
} from './run-identity.ts';
import { readSlices } from './stored-slices.ts';

/** A run on paper. */
export interface PlanDraft {
  layout: RunLayout;
  plan: RunPlan;
  slices: Slice[];
  /** Records of each part, as far as they are known before. */
  recordsOfParts: number[];
  /** Local file of the rows that are not sent, as identical requests are; undefined where every row is sent. */
  duplicatesPath: string | undefined;
  /** Local file of the dataset's records that are left out; undefined where none is. */
  skippedPath: string | undefined;
  /** The answers of former runs that rows get; undefined where none are wanted, and of a run that is planned. */
  reuse: PackedReuse | undefined;
  /** True where the run was planned before: this is its plan. */
  isKnown: boolean;
  /** What the run may cost from now on, and how long its jobs may take. */
  limits: RunLimits;
  /** What would be sent, and what not; of drafts alone. */
  preview?: PlanPreview;
}

/**
 * Validates the run input against the dataset's real columns, counts and packs the rows, and works out the price.
 * Nothing is written and nothing is spent. The same input finds the plan that is there; another one under the same
 * run_id is refused.
 */
export async function draftPlan(document: unknown, deps: PlanDeps): Promise<PlanDraft> {
  const given = parseRunInput(document);
  const { bucket } = deps.settings;
  const calls = await callsOf(given, deps);
  const { run_id: _, ...rest } = given;
  const limits = limitsOf(given);
  const pinned = await findPinnedPlan(given, rest, calls, deps);
  if (pinned !== undefined) {
    await deps.claimRun?.(pinned.plan.run_id);
    return { ...pinned, limits, ...(await previewKnown(pinned, calls, { format: given.format }, deps)) };
  }

  const { files, hub, csv, notes, reader } = await openDatasetSource(given, deps);
  // A Hugging Face dataset is the same wherever and whenever it was downloaded.
  const hashOf = (source: IdentitySource['source']) =>
    inputHashOf(rest, promptsOfRun(calls), {
      source,
      hash: deps.hash,
      modelServer: deps.settings.modelServer,
    });
  const inputHash = hashOf(hub ?? files);
  const runId = runIdOf(given, inputHash);
  const layout = runLayout(runUriOf(bucket, runId));
  await deps.claimRun?.(runId);
  const known = await readKnownPlan(layout, deps.store);
  if (known !== undefined) {
    refuseOtherServer(known.plan, deps.settings.modelServer);
    const before = await filesAsPlanned(files, known.plan, deps.store);
    refuseOtherInput(known.plan, withoutLimits(rest), hashOf(hub ?? before), before);
    refuseOtherFolder(known.plan, given);
    return {
      ...known,
      limits,
      ...(await previewKnown(known, calls, { format: given.format, reader }, deps)),
    };
  }

  for (const { behind } of calls) behind.requireThere();
  const models = [...new Set(calls.map(({ call }) => call.pricedId))];
  const asked = await quotasOfModels(
    models.map((id) => parseModelId(id).baseModelId),
    deps,
  );
  const variants = calls.map((variant) => ({
    ...variant,
    slots: asked.slots[models.indexOf(variant.call.pricedId)] as number,
    sharing: calls.filter(({ call }) => call.pricedId === variant.call.pricedId).length,
  }));
  const maxRecords = recordsPerJobLimit(
    asked.quotas,
    given.max_records_per_job,
    asked.planned.records_per_job.source,
  );
  const planned = { document, given, variants, maxRecords, runId, inputHash, hub, csv };
  const run = { ...planned, quotas: asked.planned, notes: [...notes, ...asked.notes] };
  const packing = { ...deps, settings: { ...deps.settings, quotas: asked.quotas } };
  return withDatasetFiles(files, { ...deps, reader, format: given.format }, async (local) => {
    const made = await makePlan(run, local, packing);
    const shown = deps.isDraft === true ? { preview: await previewPlan(made.plan, calls, local) } : {};
    return { ...made, ...shown, layout, isKnown: false, limits };
  });
}

/** What a run that is planned would send, and what it would cost as it is counted now, where its draft is to show it. */
async function previewKnown(
  { plan }: KnownPlan,
  calls: readonly VariantCall[],
  { format, reader }: Pick<RunInput, 'format'> & Pick<DatasetSource, 'reader'>,
  deps: PlanDeps,
): Promise<Partial<Pick<PlanDraft, 'plan' | 'preview'>>> {
  if (deps.isDraft !== true) return {};
  const { dataset, on_demand_rows: onDemandRows } = plan;
  const files = dataset.files.map(({ uri, bytes, etag }) => ({ uri: uri as S3Uri, size: bytes, etag }));
  return withDatasetFiles(files, { ...deps, reader, format }, async (local) => {
    const preview = await previewPlan(plan, calls, local);
    const [{ call }] = calls as [VariantCall, ...VariantCall[]];
    // What images take was worked out when the run was planned, and what each of several variants takes.
    if (calls.length > 1 || call.frame.media !== undefined || choosesPrompts(call.frame)) return { preview };
    const input = parseRunInput(plan.input);
    const { meanBytes } = await samplePromptBytes(local, dataset, call.frame);
    const count = await countForPlan({ input, call, dataset, meanBytes }, local, deps);
    const size = { rows: plannedRecords(plan), onDemandRows, meanPromptBytes: meanBytes, count };
    return {
      plan: {
        ...plan,
        estimate: { ...estimateCost(input, call, size), record_bytes: plan.estimate.record_bytes },
      },
      preview,
    };
  });
}

/** A variant of a run input, and how it asks its model. */
interface VariantCall extends InputVariant {
  behind: ModelBehind;
  call: ModelCall;
}

/** How each variant of a run input asks its model; InvalidRunInputError where one of them cannot. */
async function callsOf(given: RunInput, deps: PlanDeps): Promise<VariantCall[]> {
  const calls: VariantCall[] = [];
  for (const variant of variantsOf(given)) {
    const behind = await modelBehindOf(variant.input, deps);
    calls.push({ ...variant, behind, call: callOfVariant(variant, behind, deps) });
  }
  return calls;
}

function callOfVariant(
  { name, input }: InputVariant,
  behind: ModelBehind,
  deps: Pick<PlanDeps, 'settings'>,
): ModelCall {
  if (name === undefined) return callWith(input, behind, deps);
  try {
    return callWith(input, behind, deps);
  } catch (error) {
    if (error instanceof InvalidRunInputError) error.message = `Variant "${name}": ${error.message}`;
    throw error;
  }
}

/** The run input's model call, as of the model that stands behind it. */
function callWith(
  given: RunInput,
  { baseModelId, notes }: ModelBehind,
  { settings }: Pick<PlanDeps, 'settings'>,
): ModelCall {
  const call = modelCallOf(
    baseModelId === undefined ? given : { ...given, base_model_id: baseModelId },
    settings,
  );
  return { ...call, notes: [...call.notes, ...notes] };
}

/**
 * The plan under the run_id that was given, if it is of the same Hugging Face dataset and prompt: it holds on to the
 * commit that the revision stood for then.
 */
async function findPinnedPlan(
  { run_id, dataset_id }: RunInput,
  given: Record<string, unknown>,
  calls: readonly VariantCall[],
  { store, settings }: PlanDeps,
): Promise<KnownPlan | undefined> {
  if (run_id === undefined || dataset_id === undefined) return undefined;
  const known = await readKnownPlan(runLayout(runUriOf(settings.bucket, run_id)), store);
  const isSame =
    known !== undefined &&
    known.plan.variants.length === calls.length &&
    known.plan.variants.every((variant, index) => isAskedBy(variant, (calls[index] as VariantCall).call)) &&
    isDeepStrictEqual(known.plan.model_server, settings.modelServer) &&
    isDeepStrictEqual(withoutLimits(known.plan.input), withoutLimits(given));
  if (!isSame) return undefined;
  for (const { uri } of known.plan.dataset.files) {
    // Downloaded again, they may be another commit's.
    if ((await store.head(uri)) === undefined) return undefined;
  }
  return known;
}

type KnownPlan = Omit<PlanDraft, 'limits'>;

async function readKnownPlan(layout: RunLayout, store: ObjectStore): Promise<KnownPlan | undefined> {
  // What somebody deleted, since it was damaged, has a copy: jobs are named after the moment of the plan.
  const plan =
    (await readJsonIfPresent(store, layout.plan, RunPlan)) ??
    (await readJsonIfPresent(store, layout.planCopy, RunPlan));
  if (plan === undefined) return undefined;
  const slices = await readSlices(plan, layout, { store });
  const recordsOfParts = slices.flatMap(({ parts }) => parts.map(({ records, rows }) => records ?? rows));
  return {
    layout,
    plan,
    slices,
    recordsOfParts,
    duplicatesPath: undefined,
    skippedPath: undefined,
    reuse: undefined,
    isKnown: true,
  };
}
