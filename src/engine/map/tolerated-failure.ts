import { prepareCount, preparePercentage } from '../data/number-field.ts';
import type { MapState } from '../definition/amazon-states-language.ts';
import type { Visit } from '../definition/prepared-state.ts';

/** Whether a Map Run with this many failed items has failed. */
export type HasFailed = (failedItems: number, totalItems: number) => boolean;

/**
 * "If you specify both values, the workflow fails when it exceeds either value"; without any, at the first
 * failure (developer guide, Tolerated failure threshold).
 */
export function prepareToleratedFailure(state: MapState): (data: unknown, visit: Visit) => HasFailed {
  const maxCount = prepareCount(state, 'ToleratedFailureCount');
  const maxPercentage = preparePercentage(state, 'ToleratedFailurePercentage');
  return (data, visit) => {
    const count = maxCount(data, visit);
    const percentage = maxPercentage(data, visit) ?? (count === undefined ? 0 : 100);
    return (failedItems, totalItems) =>
      failedItems > (count ?? Number.POSITIVE_INFINITY) || failedItems * 100 > percentage * totalItems;
  };
}
