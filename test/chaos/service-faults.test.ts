import { beforeEach, expect, test, vi } from 'vitest';
import { checkScenarios } from './chaos-property.ts';
import { serviceScenario } from './scenario.ts';

// Tries of the AWS SDK's own would wait on the real clock.
beforeEach(() => void vi.stubEnv('AWS_MAX_ATTEMPTS', '1'));

test('Bedrock may do what it likes: every row is accounted for, and none is paid for twice', async () => {
  expect(await checkScenarios(serviceScenario)).toBeGreaterThan(0);
}, 7_200_000);
