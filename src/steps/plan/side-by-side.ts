import { InvalidRunInputError } from '../../core/errors.ts';
import { givenName } from '../../core/plan/names-apart.ts';
import type { Dataset } from '../../core/plan/part.ts';
import type { CostEstimate } from '../../core/plan/run-plan.ts';
import type { ResultColumns } from '../../rows/results/result-columns.ts';
import { sideColumnsOf } from '../../rows/results/side-columns.ts';
import type { PackedDataset } from './pack-dataset.ts';

/** The slices and parts of several variants as those of one run: each has a number, or an id, of its own. One alone stays as it is. */
export function packSideBySide(packed: readonly PackedDataset[]): PackedDataset {
  const [first, ...others] = packed as [PackedDataset, ...PackedDataset[]];
  if (others.length === 0) return first;
  let part = 0;
  const slices = packed
    .flatMap(({ slices: ofVariant }, variant) =>
      ofVariant.map((slice) => ({
        ...slice,
        parts: slice.parts.map((planned) => {
          part += 1;
          return { ...planned, part_id: `p${String(part).padStart(5, '0')}`, variant };
        }),
      })),
    )
    .map((slice, index) => ({ ...slice, slice: index }));
  return { ...first, slices, recordsOfParts: packed.flatMap(({ recordsOfParts }) => recordsOfParts) };
}

/** What several variants are estimated to cost together; the dollars are null where those of one are. */
export function addEstimates(estimates: readonly CostEstimate[]): CostEstimate {
  const [first, ...others] = estimates as [CostEstimate, ...CostEstimate[]];
  if (others.length === 0) return first;
  const sum = (pick: (estimate: CostEstimate) => number) =>
    estimates.reduce((total, estimate) => total + pick(estimate), 0);
  const usd = (pick: (estimate: CostEstimate) => number | null) =>
    estimates.reduce<number | null>((total, estimate) => {
      const more = pick(estimate);
      return total === null || more === null ? null : total + more;
    }, 0);
  const { counted: _, max_input_tokens: __, expected: ___, prices_from: ____, ...same } = first;
  const isExpected = estimates.every(({ expected }) => expected !== undefined);
  return {
    ...same,
    input_tokens: sum(({ input_tokens }) => input_tokens),
    ...(estimates.some(({ max_input_tokens }) => max_input_tokens !== undefined)
      ? { max_input_tokens: sum(({ input_tokens, max_input_tokens = input_tokens }) => max_input_tokens) }
      : {}),
    ...(estimates.every(({ counted }) => counted !== undefined) && first.counted !== undefined
      ? { counted: first.counted }
      : {}),
    max_output_tokens: sum(({ max_output_tokens }) => max_output_tokens),
    max_usd: usd(({ max_usd }) => max_usd),
    input_usd: usd(({ input_usd }) => input_usd),
    ...(isExpected
      ? {
          expected: {
            output_tokens: sum(({ expected }) => expected?.output_tokens ?? 0),
            usd: usd(({ expected }) => expected?.usd ?? null),
          },
        }
      : {}),
    on_demand_usd: usd(({ on_demand_usd = null }) => on_demand_usd),
    ...(estimates.some(({ prices_from }) => prices_from !== undefined)
      ? { prices_from: 'run_input' as const }
      : {}),
  };
}

/** Notes of each variant: once where all have the same, else with its name. */
export function notesOfVariants(
  variants: readonly { name: string | undefined; notes: readonly string[] }[],
): string[] {
  const ofAll = (note: string) => variants.every(({ notes }) => notes.includes(note));
  const common = new Set(variants.flatMap(({ notes }) => notes).filter(ofAll));
  const own = variants.flatMap(({ name, notes }) =>
    notes.filter((note) => !common.has(note)).map((note) => `Variant "${name}": ${note}`),
  );
  return [...common, ...own];
}

/** Throws InvalidRunInputError where two columns that stand side by side in the output have one name, or one of the dataset's own. */
export function checkSideBySide(
  variants: readonly { name: string | undefined; columns: ResultColumns }[],
  dataset: Dataset,
): void {
  const taken = new Map(dataset.columns.map(({ name }) => [givenName(name).toLowerCase(), 'the dataset']));
  for (const { name, columns } of variants) {
    if (name === undefined) return;
    for (const { side } of sideColumnsOf(columns, name)) {
      const before = taken.get(side.toLowerCase());
      if (before !== undefined) {
        throw new InvalidRunInputError(
          `Variant "${name}" would add a column "${side}" to the output, which ${before} has already. Give the variant another name.`,
        );
      }
      taken.set(side.toLowerCase(), `variant "${name}"`);
    }
  }
}
