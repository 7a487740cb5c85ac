import pLimit from 'p-limit';
import type { PropertyViolations } from '../../core/run/ledger.ts';
import { RunSummary } from '../../core/run/summary.ts';
import { runLayout, runsUri } from '../../runs/run-layout.ts';
import { readJsonIfPresent } from '../../store/json-object.ts';
import type { ObjectStore } from '../../store/object-store.ts';

/** What a run of the same prompt and model has shown that this one is likely to do too. */
export interface EarlierRun {
  run_id: string;
  ended_at: string;
  /** Answers that it was given, over all attempts. */
  answers: number;
  /** Mean output tokens of one. */
  output_tokens_each: number;
  /** Records that it sent, over all attempts, and input tokens for each byte of them; absent where its version did not tell. */
  records?: number;
  input_tokens_per_byte?: number;
  /** Answers that were checked against the schema, and in how many of them which property was wrong; absent without one. */
  checked?: number;
  violations?: readonly PropertyViolations[];
  /** Whether it kept its answers for later runs, as those with `reuse` do. */
  kept_answers: boolean;
}

/** Whose answers count: those of the same prompt in the same model, by the same kind of server. */
export interface EarlierRunQuery {
  bucket: string;
  promptHash: string;
  modelId: string;
  simulated: boolean;
  billed: boolean;
}

/** Runs that are looked at, and how many at once. */
const MAX_RUNS = 500;
const CONCURRENT_READS = 16;
/** Fewer answers say little. */
const MIN_ANSWERS = 20;
/** Of a run with fewer answers, input is not learnt. */
const MIN_SHARE = 0.95;

/** The latest run of the same prompt that ended with answers; undefined where there is none, or none can be read. */
export async function findEarlierRun(
  { bucket, ...query }: EarlierRunQuery,
  store: ObjectStore,
): Promise<EarlierRun | undefined> {
  const layouts = [];
  try {
    for await (const uri of store.listFolders(runsUri(bucket))) {
      layouts.push(runLayout(uri));
      if (layouts.length === MAX_RUNS) break;
    }
  } catch {
    // Whoever may not list what is there plans without it.
    return undefined;
  }
  const summaries = await pLimit(CONCURRENT_READS).map(layouts, ({ summary }) =>
    readJsonIfPresent(store, summary, RunSummary).catch(() => undefined),
  );
  return summaries
    .flatMap((summary) => (summary === undefined ? [] : earlierOf(summary, query)))
    .toSorted((a, b) => (a.ended_at < b.ended_at ? 1 : -1))[0];
}

function earlierOf(
  summary: RunSummary,
  { promptHash, modelId, simulated, billed }: Omit<EarlierRunQuery, 'bucket'>,
): EarlierRun[] {
  const { run_id, ended_at, prompt_hash, model_id, attempts, tokens, checked, violations } = summary;
  const isAlike =
    summary.variants === undefined &&
    prompt_hash === promptHash &&
    model_id === modelId &&
    summary.simulated === simulated &&
    (summary.billed ?? !summary.simulated) === billed;
  const answers =
    checked ?? attempts.reduce((sum, { attempts: sent, succeeded }) => sum + (sent === 0 ? 0 : succeeded), 0);
  if (!isAlike || answers < MIN_ANSWERS || tokens.output === 0) return [];
  return [
    {
      run_id,
      ended_at,
      answers,
      output_tokens_each: tokens.output / answers,
      ...inputOf(summary),
      kept_answers: summary.input.reuse === true,
      ...(checked === undefined ? {} : { checked, violations: violations ?? [] }),
    },
  ];
}

/** What its input took: of records without an answer too, whose tokens nobody tells, so that few of them are let pass. */
function inputOf({ account = [], estimate, tokens, rows }: RunSummary): Partial<EarlierRun> {
  const bytes = estimate?.record_bytes ?? 0;
  const records = account.reduce((sum, line) => sum + line.records, 0);
  if (bytes === 0 || records === 0 || tokens.input === 0 || rows.succeeded < rows.total * MIN_SHARE)
    return {};
  return { records, input_tokens_per_byte: tokens.input / (records * bytes) };
}
