import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { renderDiffPage } from '../../../src/report/diff/diff-page.ts';
import type { RunDiff } from '../../../src/report/diff/run-diff.ts';
import { runDiff, tellingRow } from '../../support/run-diff.ts';
import { openBrowser } from './open-browser.ts';
import { axeFindings, type Look, openPage } from './open-page.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

function openDiff(diff: RunDiff, look?: Look) {
  return openPage(browser, renderDiffPage(diff), look);
}

const ROWS = [
  tellingRow({
    why: { kind: 'transition', column: 'mood' },
    values: [{ name: 'mood', from: 'good', to: null }],
  }),
  tellingRow({ why: { kind: 'shift', column: 'score' } }),
  tellingRow({
    why: { kind: 'newly_failed' },
    b: {
      record_id: 'other',
      prompt: { text: 'Say more', cut: 0 },
      answer: null,
      error_code: '400',
      error_message: { text: 'Too long', cut: 3 },
    },
  }),
];

test.for([
  { width: 1200, colorScheme: 'light' },
  { width: 1200, colorScheme: 'dark' },
  { width: 390, colorScheme: 'light' },
] as const)('a diff is drawn, asks for nothing, and axe finds nothing: $width $colorScheme', async (look) => {
  const quantiles = { min: 0, p05: 0, p25: 0, median: 0.01, p75: 0.1, p95: 0.2, max: 1.5 };
  const buckets = [
    { from: 0, to: 0.1, rows: 70 },
    { from: 0.1, to: 2, rows: 20 },
  ];
  const distances = { rows: 90, without: 1, mean: 0.02, quantiles, buckets };
  const { page, complaints } = await openDiff(runDiff({ telling: ROWS, distances }), look);
  for (const summary of await page.locator('summary').all()) await summary.click();
  expect(await page.locator('#changes').innerText()).toBe('10.0 % of the answers changed');
  expect(await page.locator('section[aria-labelledby=columns]').innerText()).toMatch(
    /6 rows changed, 6\.7 %[\s\S]*McNemar’s exact test: p = 0\.0625[\s\S]*paired t-test: p < 0\.0001/,
  );
  expect(await page.locator('section[aria-labelledby=outcomes]').innerText()).toContain('RecordMissing');
  expect(await axeFindings(page)).toEqual([]);
  expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
  expect(complaints).toEqual([]);
});

test('pairs of rows are filtered and opened by the keyboard alone', async () => {
  const { page } = await openDiff(runDiff({ telling: ROWS }));
  await page.getByRole('button', { name: /^newly failed/ }).press('Enter');
  expect(await page.locator('details.pair-of-rows:visible').count()).toBe(1);
  expect(await page.getByRole('status').innerText()).toContain('1 pair of rows.');
  await page.locator('details.pair-of-rows:visible summary').press('Enter');
  const detail = await page.locator('details.pair-of-rows:visible').innerText();
  for (const text of [
    'In B it is other.',
    'Prompt in A',
    'Say more',
    'No answer in B: 400',
    'Too long',
    '3 more characters left out',
  ])
    expect(detail).toContain(text);
});

test('an empty diff says so', async () => {
  const nothing = { rows: 0, causes: [] };
  const { page, complaints } = await openDiff(
    runDiff({
      is_empty: true,
      changed: { rows: 0, of: 90, share: 0, interval: [0, 0.04] },
      columns: [],
      settings: [],
      notes: [],
      newly_failed: nothing,
      newly_mended: nothing,
    }),
  );
  expect(await page.locator('#changes').innerText()).toBe('Nothing differs');
  expect(await axeFindings(page)).toEqual([]);
  expect(complaints).toEqual([]);
});

test('hostile cells of either run reach the page of a diff as text alone', async () => {
  const hostile = [
    '</script><script>alert(1)</script>',
    '<img src=x onerror=alert(2)>',
    '"><svg onload=alert(3)>',
    'abc\u202Etxt.exe',
    'nul\0nul\u2028',
  ];
  const text = hostile.join('\n');
  const side = {
    record_id: text,
    prompt: { text, cut: 0 },
    answer: { text, cut: 0 },
    error_code: null,
    error_message: null,
  };
  const [column] = runDiff().columns;
  if (column === undefined) throw new Error('There is no column.');
  const { page, complaints } = await openDiff(
    runDiff({
      columns: [{ ...column, name: text, transitions: [{ from: text, to: `${text} `, rows: 1 }] }],
      settings: [{ key: text, a: text, b: text }],
      notes: [text],
      joined_by: { kind: 'content', columns: [text] },
      newly_failed: { rows: 1, causes: [{ error_code: text, rows: 1 }] },
      telling: [
        tellingRow({
          a: side,
          b: { ...side, error_code: text, error_message: { text, cut: 0 } },
          values: [{ name: text, from: text, to: text }],
        }),
      ],
    }),
  );
  await page.locator('details.pair-of-rows summary').click();
  const shown = await page.locator('.pane pre').allInnerTexts();
  expect(shown.join('\n')).toContain('<img src=x onerror=alert(2)>');
  expect(shown.join('\n')).toContain('abc⟨U+202E⟩txt.exe');
  expect(await page.locator('#report img, #report script, #report svg').count()).toBe(0);
  expect(complaints).toEqual([]);
});
