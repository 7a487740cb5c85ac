import type { RetryPolicy } from '../../core/jobs/retry-policy.ts';
import type { PlannedRun } from './read-plan.ts';

/** Which outcomes of this run are tried again. */
export function retryPolicyOf({ plan, input }: PlannedRun): RetryPolicy {
  return {
    maxAttempts: plan.max_attempts,
    retryTruncated: input.retry_truncated ?? false,
    retryRefused: input.retry_refused ?? false,
  };
}
