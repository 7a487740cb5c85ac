import type * as Flechette from '@uwdata/flechette';
import type { DataType } from '@uwdata/flechette';

type Arrow = typeof Flechette;

/** By the number that Arrow has for a unit of time. */
const UNITS = ['seconds', 'milliseconds', 'microseconds', 'nanoseconds'];
const UTC = ['UTC', 'Etc/UTC', '+00:00', 'Z'];

/**
 * As what columns come back that have types of Arrow which Parquet does not have, by their names: Arrow notes in the footer what
 * they were, as the Base64 of a message of its IPC format. A note that cannot be read says nothing: the values do not hang on it.
 */
export async function readArrowNotes(schema: string): Promise<Map<string, string>> {
  const notes = new Map<string, string>();
  // Few files have such a note, and every command would load it.
  const arrow = await import('@uwdata/flechette');
  try {
    for (const { name, type } of arrow.tableFromIPC(Buffer.from(schema, 'base64')).schema.fields) {
      const note = noteOf(type, arrow);
      if (note !== undefined) notes.set(name, note);
    }
  } catch {
    notes.clear();
  }
  return notes;
}

function noteOf(type: DataType, arrow: Arrow): string | undefined {
  const { Type } = arrow;
  switch (type.typeId) {
    case Type.Duration:
      return `integers of ${UNITS[type.unit] ?? 'its unit'}`;
    case Type.Dictionary:
      return 'values without their dictionary';
    case Type.Timestamp:
      return type.timezone === null || UTC.includes(type.timezone)
        ? undefined
        : `TIMESTAMP WITH TIME ZONE in UTC (was ${type.timezone})`;
    case Type.Date:
      return type.unit === 1 ? 'DATE' : undefined;
    case Type.FixedSizeList:
      return noteOf(type.children[0]?.type ?? type, arrow) ?? 'lists of any length';
    default: {
      const children = 'children' in type ? (type.children ?? []) : [];
      return children.map((child) => noteOf(child.type, arrow)).find((note) => note !== undefined);
    }
  }
}
