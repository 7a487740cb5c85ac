/** Types that Arrow has and Parquet has not, for the page on data. */
import {
  dateMillisecond,
  dictionary,
  duration,
  fixedSizeList,
  int32,
  TimeUnit,
  timestamp,
  utf8,
} from '@uwdata/flechette';
import { guess, listOfTwo, stamp, withArrow, write } from '../../support/written-parquet.ts';

/** A file whose one column is `v`; what its values come back as, and as what text; or why it is refused. */
export interface Case {
  file: Uint8Array | { sql: string; options?: string };
  type?: string;
  texts?: (string | null)[];
  note?: string;
  refused?: string;
}

/** What the plan notes of the column. */
export const note = (type: string) =>
  `s3://data/x.parquet: comes back with the same values as another type: v as ${type}`;

/** By the lines of the page. */
export const ARROW_CASES: Record<string, Case[]> = {
  'what Arrow calls a dictionary (a category of pandas, a factor of R)': [
    {
      file: withArrow(guess(['a', 'a']), dictionary(utf8())),
      type: 'VARCHAR',
      texts: ['a', 'a'],
      note: note('values without their dictionary'),
    },
  ],
  'durations, which Arrow only knows': [
    {
      file: withArrow(write([5n], { type: 'INT64' }), duration(TimeUnit.MILLISECOND)),
      type: 'BIGINT',
      texts: ['5'],
      note: note('integers of milliseconds'),
    },
    // A note that is none is passed over.
    { file: withArrow(write([5n], { type: 'INT64' }), utf8(), 'AAAA'), type: 'BIGINT', texts: ['5'] },
  ],
  'other types that Arrow only knows: lists of a fixed length, days as milliseconds, a zone that is not UTC':
    [
      {
        file: withArrow(listOfTwo, fixedSizeList(int32(), 2)),
        type: 'INTEGER[]',
        texts: ['[1, 2]'],
        note: note('lists of any length'),
      },
      {
        file: withArrow(write([1], { type: 'INT32', converted_type: 'DATE' }), dateMillisecond()),
        type: 'DATE',
        texts: ['1970-01-02'],
        note: note('DATE'),
      },
      {
        file: withArrow(write([1n], stamp('MICROS', true)), timestamp(TimeUnit.MICROSECOND, 'Europe/Berlin')),
        type: 'TIMESTAMP WITH TIME ZONE',
        texts: ['1970-01-01 00:00:00.000001+00'],
        note: note('TIMESTAMP WITH TIME ZONE in UTC (was Europe/Berlin)'),
      },
      {
        file: withArrow(write([1n], stamp('MICROS', true)), timestamp(TimeUnit.MICROSECOND, 'UTC')),
        type: 'TIMESTAMP WITH TIME ZONE',
        texts: ['1970-01-01 00:00:00.000001+00'],
      },
    ],
};
