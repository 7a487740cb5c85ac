import { expect, test } from 'vitest';
import { createRetryTeller } from '../../../src/targets/aws/execution-history.ts';

test('a step of an execution that failed is told with its reason, by the state that it was in', () => {
  const told: string[] = [];
  const tellRetry = createRetryTeller((message) => told.push(message));
  const timestamp = new Date(Date.UTC(2026, 0, 1));
  tellRetry({ id: 1, timestamp, type: 'TaskStateEntered', stateEnteredEventDetails: { name: 'Dispatch' } });
  tellRetry({ id: 2, timestamp, type: 'TaskScheduled' });
  const cause = JSON.stringify({ errorType: 'ServiceUnavailableError', errorMessage: 'SlowDown.' });
  const resource = { resourceType: 'lambda', resource: 'invoke' };
  tellRetry({
    id: 3,
    timestamp,
    type: 'TaskFailed',
    taskFailedEventDetails: { ...resource, error: 'ServiceUnavailableError', cause },
  });
  tellRetry({ id: 4, timestamp: undefined, type: 'TaskFailed' });
  expect(told).toEqual([
    'The step Dispatch is tried again. SlowDown. (since 2026-01-01T00:00:00.000Z)',
    'The step Dispatch is tried again. Error (since just now)',
  ]);
});
