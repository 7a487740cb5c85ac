import { expect, test } from 'vitest';
import { checkScenarios } from './chaos-property.ts';
import { serviceScenario } from './scenario.ts';

test('Bedrock may do what it likes: every row is accounted for, and none is paid for twice', async () => {
  expect(await checkScenarios(serviceScenario)).toBeGreaterThan(0);
}, 7_200_000);
