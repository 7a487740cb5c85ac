import { expect, test } from 'vitest';
import { checkScenarios } from './chaos-property.ts';
import { worstScenario } from './scenario.ts';

test('steps run twice, answers lost, stores failing, executions broken off: the same holds', async () => {
  expect(await checkScenarios(worstScenario)).toBeGreaterThan(0);
}, 7_200_000);
