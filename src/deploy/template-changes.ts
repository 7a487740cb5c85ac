import { isDeepStrictEqual } from 'node:util';
import { isJsonObject, type JsonObject } from '../core/text/json-value.ts';
import { rightsOf, type TemplateRight } from './template-rights.ts';

/** A resource that comes, changes or goes. */
export interface ResourceChange {
  change: 'added' | 'changed' | 'removed';
  /** Logical id. */
  id: string;
  type: string;
}

/** What becomes other by a deployment. */
export interface TemplateChanges {
  resources: ResourceChange[];
  /** Rights that were not there; what was refused or bound to a condition, and is no more, is among them. */
  newRights: TemplateRight[];
  lostRights: TemplateRight[];
}

/** What differs between the template that is deployed (`{}` where none is) and the one that is to be. */
export function changesOf(before: JsonObject, after: JsonObject): TemplateChanges {
  const old = resourcesOf(before);
  const next = resourcesOf(after);
  const ids = [...new Set([...Object.keys(next), ...Object.keys(old)])];
  const had = keyed(rightsOf(before));
  const has = keyed(rightsOf(after));
  const gained = missingIn(had, has);
  const lost = missingIn(has, had);
  return {
    resources: ids.flatMap((id): ResourceChange[] => {
      const [from, to] = [old[id], next[id]];
      const type = String((to ?? from)?.Type);
      if (from === undefined) return [{ change: 'added', id, type }];
      if (to === undefined) return [{ change: 'removed', id, type }];
      return isSame(from, to) ? [] : [{ change: 'changed', id, type }];
    }),
    newRights: [
      ...gained.filter(({ effect }) => effect === 'Allow'),
      ...lost.filter(({ effect }) => effect === 'Deny'),
    ],
    lostRights: [
      ...lost.filter(({ effect }) => effect === 'Allow'),
      ...gained.filter(({ effect }) => effect === 'Deny'),
    ],
  };
}

/** Metadata is the CDK's own bookkeeping: nothing at AWS changes with it. */
function isSame(from: JsonObject, to: JsonObject): boolean {
  return isDeepStrictEqual({ ...from, Metadata: undefined }, { ...to, Metadata: undefined });
}

function resourcesOf({ Resources }: JsonObject): Record<string, JsonObject> {
  const entries = Object.entries(isJsonObject(Resources) ? Resources : {});
  return Object.fromEntries(
    entries.filter((entry): entry is [string, JsonObject] => {
      const [, resource] = entry;
      return isJsonObject(resource) && resource.Type !== 'AWS::CDK::Metadata';
    }),
  );
}

function keyed(rights: readonly TemplateRight[]): Map<string, TemplateRight> {
  return new Map(rights.map((right) => [JSON.stringify(right), right]));
}

function missingIn(
  known: ReadonlyMap<string, unknown>,
  among: ReadonlyMap<string, TemplateRight>,
): TemplateRight[] {
  return [...among].flatMap(([key, right]) => (known.has(key) ? [] : [right]));
}
