import { describe, expect, test } from 'vitest';
import { parseRunInput } from '../../../src/core/run-input/run-input.ts';
import { modelCallOf } from '../../../src/steps/plan/model-call.ts';
import { checkPromptColumns } from '../../../src/steps/plan/prompt-columns.ts';

const MODEL = 'us.amazon.nova-lite-v1:0';

/** What is noted of a prompt over a dataset of these columns. */
function check(keys: object, names: string[] = ['text', 'label']): string[] {
  const input = parseRunInput({ s3_uri: 's3://bucket/a.csv', model_id: MODEL, ...keys });
  return checkPromptColumns(input, modelCallOf(input), names);
}

test('a prompt that reads columns of the dataset is taken', () => {
  expect(check({ prompt_template: 'Label {text} as {{"label": "x"}}.' })).toEqual([]);
  expect(check({ prompt_template: 'Go on.', system_prompt: 'You are {label}.' })).toEqual([]);
});

describe('what would ask the same question of every row is refused', () => {
  test('a template without a placeholder', () => {
    expect(() => check({ prompt_template: 'Tell a joke.' })).toThrow(
      'The prompt template has no placeholder, so it would ask the same question of every row. Put a column into it, such as {text}; the dataset has text, label. To run it all the same, give force.',
    );
  });

  test('a column as Jinja writes it, also beside a placeholder', () => {
    for (const template of ['Label {{ text }}.', 'Label {{text}}, not {label}.']) {
      expect(() => check({ prompt_template: template })).toThrow(
        'The prompt template has {{ text }}, as Jinja writes it; here doubled braces are literal ones, so the model would read "{ text }" in every row. Write {text} for the column\'s value. To run it all the same, give force.',
      );
    }
  });
});

test('with force it is noted instead', () => {
  expect(check({ prompt_template: 'Tell a joke.', force: true })).toEqual([
    'The prompt template has no placeholder, so it would ask the same question of every row. It is run all the same, as force is given.',
  ]);
});

test.each([
  [
    '{"label": 1}',
    'The prompt needs column ""label": 1", which the dataset does not have. The dataset has text, label. Write braces that are not placeholders twice: {{"label": 1}}.',
  ],
  ['{\n  "label": "x"\n}', 'Write braces that are not placeholders twice.'],
  ['{tetx}', 'The prompt needs column "tetx", which the dataset does not have. The dataset has text, label.'],
])('a placeholder %j that is no column is refused, with how JSON is written', (placeholder, message) => {
  expect(() => check({ prompt_template: `Label {text} as ${placeholder}` })).toThrow(message);
});
