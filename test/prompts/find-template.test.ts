import { expect, test } from 'vitest';
import { InvalidRunInputError } from '../../src/core/errors.ts';
import { findTemplate } from '../../src/prompts/find-template.ts';
import { parsePromptTemplate, placeholdersOf } from '../../src/prompts/prompt-template.ts';
import { promptIdToTemplate } from '../../src/prompts/prompt-templates.ts';

test.each([
  ['joke_about_topic', ['topic']],
  ['sentiment_classifier', ['input_text']],
  ['question_answering', ['source']],
])('%s reads the columns %s', (promptId, columns) => {
  expect(placeholdersOf(parsePromptTemplate(findTemplate(promptId)))).toEqual(columns);
});

test.each(Object.keys(promptIdToTemplate))('the template %s is a template', (promptId) => {
  expect(parsePromptTemplate(findTemplate(promptId)).length).toBeGreaterThan(0);
});

test('an unknown prompt id lists the known ones, the nearest first', () => {
  expect(() => findTemplate('sentiment_clasifier')).toThrow(InvalidRunInputError);
  expect(() => findTemplate('sentiment_clasifier')).toThrow(
    'There is no prompt_id "sentiment_clasifier". Known ids, the nearest first: sentiment_classifier, ',
  );
  expect(() => findTemplate('joke')).toThrow('the nearest first: joke_about_topic, ');
});

test('a name that every object has is not a prompt id', () => {
  expect(() => findTemplate('constructor')).toThrow('There is no prompt_id "constructor".');
});
