import type { RunSummary } from '../../index.ts';
import { count, usd } from './format.ts';

/** Lines of waves that are shown; `--json` has all. */
const MAX_LINES = 8;

/**
 * What a run took beside what its plan had estimated, and where it had more than one wave, model or way of sending, what each of them took. Where
 * no account paid, nothing is called a cost.
 */
export function accountLines({
  cost_usd: total,
  simulated,
  billed = !simulated,
  account = [],
  estimate,
}: RunSummary): string[] {
  const isPaid = billed && !simulated;
  const planned = estimate === undefined ? '' : estimateText(estimate, isPaid);
  const lines = account
    .slice(0, MAX_LINES)
    .map((line) => `             ${lineText(line, { account, isPaid })}`);
  const more = account.length - MAX_LINES;
  return [
    ...(total === null
      ? []
      : [
          isPaid
            ? `  cost       ${usd(total)}, by the price table${planned}`
            : `  cost       nothing; ${usd(total)} had these tokens been Bedrock’s`,
        ]),
    ...(account.length > 1 ? lines : []),
    ...(more > 0 ? [`             … and ${more} more: --json has them`] : []),
  ];
}

function estimateText({ expected, max_usd }: NonNullable<RunSummary['estimate']>, isPaid: boolean): string {
  if (!isPaid || max_usd === null) return '';
  const likely = expected?.usd == null ? '' : `${usd(expected.usd)} expected, `;
  return `; the plan had ${likely}${usd(max_usd)} at most`;
}

/** `wave 2, on demand: 12 records, 480 tokens in, 600 out, $0.0042`. */
function lineText(
  {
    model_id,
    wave,
    mode,
    records,
    tokens,
    uncounted,
    usd: dollars,
  }: NonNullable<RunSummary['account']>[number],
  { account, isPaid }: { account: NonNullable<RunSummary['account']>; isPaid: boolean },
): string {
  const model = account.some((other) => other.model_id !== model_id) ? `, ${model_id}` : '';
  const untold = uncounted === undefined ? '' : `, of ${count(uncounted, 'record')} nobody tells any`;
  const worth = dollars === null || !isPaid ? '' : `, ${usd(dollars)}`;
  return `wave ${wave}${model}, ${mode === 'batch' ? 'batch' : 'on demand'}: ${count(records, 'record')}, ${tokens.input.toLocaleString('en-US')} tokens in, ${tokens.output.toLocaleString('en-US')} out${untold}${worth}`;
}
