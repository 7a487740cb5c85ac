import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InvalidRunInputError } from '../../src/core/errors.ts';
import { parsePromptTemplate, placeholdersOf, renderPrompt } from '../../src/prompts/prompt-template.ts';

function render(template: string, row: Record<string, string | null>): string | null {
  return renderPrompt(parsePromptTemplate(template), row);
}

describe('rendering', () => {
  test('puts the columns’ values in place of the placeholders', () => {
    expect(render('{a} and {b} and {a}', { a: '1', b: '2', c: '3' })).toBe('1 and 2 and 1');
  });

  test('doubled braces are literal ones', () => {
    expect(render('{{"answer": {a}}}', { a: '1' })).toBe('{"answer": 1}');
    expect(render('{{a}}', { a: '1' })).toBe('{a}');
    expect(render('{{{a}}}', { a: '1' })).toBe('{1}');
  });

  test('a column may have any name without braces', () => {
    expect(render('{my column, "quoted" / $1}', { 'my column, "quoted" / $1': 'x' })).toBe('x');
  });

  test('a null in a placeholder’s column leaves the row without a prompt', () => {
    expect(render('{a} {b}', { a: '1', b: null })).toBeNull();
    expect(render('{a}', {})).toBeNull();
  });

  test('an empty value is a value, and a null elsewhere does no harm', () => {
    expect(render('<{a}>', { a: '', b: null })).toBe('<>');
  });

  test('values are never read as templates or replacement patterns', () => {
    const special = fc.constantFrom('{a}', '{source}', '{{', '}}', '{', '}', '$&', '$1', '$$', '$`', '\\');
    const value = fc.array(fc.oneof(special, fc.string()), { maxLength: 6 }).map((texts) => texts.join(''));
    fc.assert(
      fc.property(value, value, (a, source) => {
        expect(render('1{a}2{{source}}{source}3', { a, source })).toBe(`1${a}2{source}${source}3`);
      }),
    );
  });

  test('any text comes back once its braces are doubled', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('{', '}', 'a', '\n', '💡') }), (text) => {
        expect(render(text.replaceAll('{', '{{').replaceAll('}', '}}'), {})).toBe(text);
      }),
    );
  });
});

test('the placeholders are listed once each, in the order of their first use', () => {
  expect(placeholdersOf(parsePromptTemplate('{b} {a} {b} {{c}}'))).toEqual(['b', 'a']);
  expect(placeholdersOf(parsePromptTemplate('no column'))).toEqual([]);
});

test.each([
  ['{', '{'],
  ['}', '}'],
  ['{}', '{'],
  ['an {unclosed', '{'],
  ['{a}}', '}'],
  ['{{a}', '}'],
  ['{a{b}}', '{'],
])('the template %s is refused for a brace without its partner', (template, brace) => {
  expect(() => parsePromptTemplate(template)).toThrow(InvalidRunInputError);
  expect(() => parsePromptTemplate(template)).toThrow(
    `The prompt template has a single "${brace}". Write {column} for a placeholder, and {{ or }} for a literal brace.`,
  );
});
