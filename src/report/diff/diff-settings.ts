import type { ReportSource } from '../read-report.ts';
import type { ChangedSetting } from './run-diff.ts';

/** Characters of a value. */
const MOST_CHARACTERS = 2_000;
/** What a run is called, not what it is of. */
const NAMES = new Set(['run_id']);

/** What the runs were given that differs: keys of their inputs, the prompt that a `prompt_id` stood for, and the dataset's rows. */
export function changedSettings(a: ReportSource, b: ReportSource): ChangedSetting[] {
  const [ofA, ofB] = [settingsOf(a), settingsOf(b)];
  const keys = [...new Set([...Object.keys(ofA), ...Object.keys(ofB)])].filter((key) => !NAMES.has(key));
  return keys.flatMap((key) => {
    const [one, other] = [textOf(ofA[key]), textOf(ofB[key])];
    return one === other ? [] : [{ key, a: cut(one), b: cut(other) }];
  });
}

function settingsOf({ plan, summary }: ReportSource): Record<string, unknown> {
  const [{ prompt_template, prompt_templates, output_column }] = plan.variants;
  return {
    ...summary.input,
    ...(prompt_template === null ? {} : { prompt_template }),
    ...(prompt_templates === undefined ? {} : { prompt_templates }),
    output_column,
    dataset_rows: summary.dataset_rows,
  };
}

function textOf(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function cut(text: string | null): string | null {
  if (text === null) return null;
  const characters = [...text];
  return characters.length <= MOST_CHARACTERS
    ? text
    : `${characters.slice(0, MOST_CHARACTERS).join('')} … and ${characters.length - MOST_CHARACTERS} more characters`;
}
