import { beforeEach, expect, test, vi } from 'vitest';
import { checkScenarios } from './chaos-property.ts';
import { worstScenario } from './scenario.ts';

// Tries of the AWS SDK's own would wait on the real clock.
beforeEach(() => void vi.stubEnv('AWS_MAX_ATTEMPTS', '1'));

test('steps run twice, answers lost, stores failing, executions broken off: the same holds', async () => {
  expect(await checkScenarios(worstScenario)).toBeGreaterThan(0);
}, 7_200_000);
