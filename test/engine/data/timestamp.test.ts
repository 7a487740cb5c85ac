import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseTimestamp } from '../../../src/engine/data/timestamp.ts';

describe('a timestamp', () => {
  test.each([
    ['2016-03-14T01:59:00Z', Date.UTC(2016, 2, 14, 1, 59)],
    ['2016-03-05T21:29:29.243167252Z', Date.UTC(2016, 2, 5, 21, 29, 29, 243)],
    ['2024-02-29T00:00:00+02:00', Date.UTC(2024, 1, 28, 22)],
    ['0099-01-01T00:00:00Z', new Date('0099-01-01T00:00:00Z').getTime()],
  ])('%s is one', (text, ms) => {
    expect(parseTimestamp(text)).toBe(ms);
  });

  test.each([
    '2026-02-30T00:00:00Z',
    '2025-02-29T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2016-13-05T21:29:29Z',
    '2026-01-01T24:00:00Z',
    '2016-12-05T25:29:29Z',
    '2026-01-01T00:60:00Z',
    '2026-01-01T00:00:60Z',
    '2016-12-05 21:29:29Z',
    '2016-12-05T21:29:29',
    '2026-01-01T00:00Z',
    '2026-01-01t00:00:00z',
    '05-12-2016T21:29:29Z',
    '2026-01-01T00:00:00+24:00',
    '2026-01-01T00:00:00+18:01',
    ' 2026-01-01T00:00:00Z',
    0,
    null,
  ])('%j is none', (value) => {
    expect(parseTimestamp(value)).toBeUndefined();
  });

  test('is any time that JavaScript writes', () => {
    fc.assert(
      fc.property(
        fc.date({
          min: new Date('0000-01-01T00:00:00Z'),
          max: new Date('9999-12-31T23:59:59Z'),
          noInvalidDate: true,
        }),
        (date) => {
          expect(parseTimestamp(date.toISOString())).toBe(date.getTime());
        },
      ),
    );
  });
});
