import type { ResultColumns } from './result-columns.ts';

/** A column of a variant's own results, and what it is called beside those of the other variants. */
export interface SideColumn {
  /** Name in the variant's own results. */
  own: string;
  /** Name where all variants stand side by side: `response_short`. */
  side: string;
  type: string;
}

/** What a variant adds to the rows where all stand side by side: all that it adds when it is alone, but the record id. */
export function sideColumnsOf({ all }: ResultColumns, variant: string): SideColumn[] {
  return all
    .filter(({ from }) => from !== 'record_id')
    .map(({ name, type }) => ({ own: name, side: `${name}_${variant}`, type }));
}
