import { expect, test } from 'vitest';
import { machineDefinition } from '../../../src/targets/embedded/machine-definition.ts';
import { definition } from '../../../src/workflow/definition.ts';

test('on this machine steps have no time limit of Lambda’s, and all else is as deployed', () => {
  const limits = (text: string) => text.match(/"TimeoutSeconds":\d+/g) ?? [];
  const deployed = JSON.stringify(definition);
  const here = JSON.stringify(machineDefinition);
  expect(limits(deployed).length).toBeGreaterThan(limits(here).length);
  // A look at a job is given up after a minute, wherever it is made.
  expect(limits(here)).toEqual(['"TimeoutSeconds":60']);
  const without = (text: string) => text.replaceAll(/"TimeoutSeconds":960,|,"TimeoutSeconds":960/g, '');
  expect(JSON.parse(here)).toEqual(JSON.parse(without(deployed)));
});
