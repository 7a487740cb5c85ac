import type { Dataset, DatasetFile } from '../../core/plan/part.ts';
import { nameOf } from '../csv/csv-dialect.ts';
import { listed } from './listed.ts';
import { parseSourceName } from './source-name.ts';

/** How many records of a dataset were left out. */
export function skippedRecordsOf({ files }: Dataset): number {
  return files.reduce((sum, { layout }) => sum + (layout?.csv?.skipped_records ?? 0), 0);
}

/** What a user should know of how a dataset’s files were read: whatever their names do not say. */
export function datasetNotes({ format, files, notes = [] }: Dataset): string[] {
  if (format === 'parquet') return notes;
  const described = files.map((file) => ({ uri: file.uri, notes: notesOf(file) }));
  // Files that are alike are told of together.
  const uris = new Map<string, string[]>();
  for (const { uri, notes } of described) {
    for (const note of notes) uris.set(note, [...(uris.get(note) ?? []), uri]);
  }
  return [...notes, ...[...uris].map(([note, names]) => `${listed(names)}: ${note}`)];
}

function notesOf({ uri, rows, layout }: DatasetFile): string[] {
  const notes: string[] = [];
  if (rows === 0) notes.push('no rows');
  if (layout?.encoding !== undefined) notes.push(`converted from ${layout.encoding}`);
  const { csv } = layout ?? {};
  if (csv === undefined) return notes;
  if (csv.delimiter !== (parseSourceName(uri)?.delimiter ?? ',')) {
    notes.push(`fields are separated by ${nameOf(csv.delimiter)}`);
  }
  if (csv.quote !== '"') {
    notes.push(csv.quote === '' ? 'no field is quoted' : `fields are quoted with ${csv.quote}`);
  }
  if (csv.escape !== undefined) notes.push(`${csv.escape} before a character says that it is meant`);
  if (csv.skip !== undefined) notes.push(`lines at its beginning that are passed over: ${csv.skip}`);
  if (csv.comment_lines !== undefined) {
    notes.push(`lines that begin with ${csv.comment} and are passed over: ${csv.comment_lines}`);
  }
  if (csv.header === false) {
    notes.push('no header: its columns are called column0, column1, … by their place');
  }
  if (csv.returns === true) notes.push('lines end in a carriage return alone');
  if (csv.sep_line === true) notes.push('its first line, which names the separator, is no record');
  if (csv.unnamed !== undefined) {
    notes.push(
      csv.unnamed.length === 1
        ? `the column without a name is called ${csv.unnamed[0]}`
        : `the columns without a name are called ${listed(csv.unnamed)}`,
    );
  }
  if (csv.ragged === 'pad' && csv.ragged_rows !== undefined) {
    notes.push(
      `${csv.ragged_rows} rows do not have as many fields as the header; missing fields are filled with empty texts`,
    );
  }
  if (csv.skipped_records !== undefined) {
    notes.push(
      `${csv.skipped_records} records that do not have as many fields as the header are left out; they are in skipped.jsonl in the run’s folder`,
    );
  }
  return notes;
}
