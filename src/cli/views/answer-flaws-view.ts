import {
  type AnswerFlaw,
  countFlaws,
  type FlawCounts,
  type StopReasonCounts,
} from '../../core/jobs/answer-flaws.ts';
import { count } from './format.ts';

/** Share of the answers from which on a flaw is warned of. */
const WARNED_SHARE = 0.01;

const WORDS: Readonly<Record<AnswerFlaw, { name: string; advice: string }>> = {
  truncated: {
    name: 'cut off',
    advice: 'Raise inference_parameters.max_tokens, or shorten the prompts if the model’s context is full.',
  },
  refused: {
    name: 'refused or filtered',
    advice: 'Look at the prompts of a few: quarry results tells each row’s stop_reason.',
  },
  empty: { name: 'empty', advice: 'Ask the model for a word that says so where it has no answer.' },
};

const FLAWS: readonly AnswerFlaw[] = ['truncated', 'refused', 'empty'];

/** How answers ended, where that is worth a line: for several reasons, or not as was asked for. */
export function stopReasonLines(counts: readonly StopReasonCounts[]): string[] {
  const flaws = countFlaws(counts);
  const flawed = FLAWS.filter((flaw) => flaws[flaw] > 0);
  if (counts.length < 2 && flawed.length === 0) return [];
  const n = (value: number) => value.toLocaleString('en-US');
  const reasons = counts.map(({ stop_reason, rows }) => `${n(rows)} ${stop_reason ?? 'without a reason'}`);
  return [
    `  stopped    ${reasons.join(', ')}`,
    ...(flawed.length === 0
      ? []
      : [`  flawed     ${flawed.map((flaw) => `${n(flaws[flaw])} ${WORDS[flaw].name}`).join(', ')}`]),
  ];
}

/** What is to be known of flaws that many answers have. */
export function flawWarnings(flaws: FlawCounts, answers: number): string[] {
  return FLAWS.filter((flaw) => flaws[flaw] > 0 && flaws[flaw] >= answers * WARNED_SHARE).map((flaw) => {
    const { name, advice } = WORDS[flaw];
    const share = `${((100 * flaws[flaw]) / answers).toLocaleString('en-US', { maximumFractionDigits: 1 })} %`;
    const verb = flaws[flaw] === 1 ? 'is' : 'are';
    return `  Warning: ${count(flaws[flaw], 'answer')} (${share}) ${verb} ${name}. ${advice}`;
  });
}
