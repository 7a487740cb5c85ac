import { expect, test } from 'vitest';
import { parseRunInput } from '../../src/core/run-input/run-input.ts';
import { createRandom } from '../../src/emulator/faults/seeded-random.ts';
import { runLayout, runUriOf } from '../../src/runs/run-layout.ts';
import { modelBehindOf } from '../../src/steps/plan/ask-account.ts';
import { draftPlan } from '../../src/steps/plan/draft-plan.ts';
import { type LocalRunResult, runLocally } from '../../src/targets/embedded/run-locally.ts';
import { STEP_NAMES, type StepName } from '../../src/workflow/definition.ts';
import { MODEL } from '../support/emulated-run.ts';
import { asStep, type GrantedRight, readStepPolicies, type StepPolicies } from '../support/step-policies.ts';
import { openChaosWorld } from './chaos-world.ts';
import { createFaultyMachine } from './faulty-machine.ts';
import { type Scenario, soundMachine } from './scenario.ts';
import { writeDataset } from './scenario-dataset.ts';

/** Repeated rows, one that is answered at the second time only, and a last part below Bedrock's minimum: every step has work. */
const scenario: Scenario = {
  dataset: { rows: 24, format: 'csv', files: 1, distinct: 13, nullEvery: undefined },
  quotas: { minRecordsPerJob: 2, maxRecordsPerJob: 6, maxConcurrentJobs: 4 },
  overQuota: 'reject-quota',
  keys: { max_attempts: 3, pilot: false, reuse: true },
  budget: undefined,
  faults: [
    {
      fault: {
        kind: 'record-errors',
        recordIds: ['r0000000003'],
        errorCode: 500,
        errorMessage: 'Try again.',
        firstAttemptOnly: true,
      },
    },
  ],
  outputs: [],
  hasNeighbour: false,
  former: undefined,
  isTakenUp: false,
  machine: { ...soundMachine, isRemote: true },
  seed: 1,
};

const PROFILE = 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123';

type Use = `${StepName} ${string} on ${string}`;

const useOf = (step: StepName, { action, resource }: GrantedRight): Use => `${step} ${action} on ${resource}`;

/** Runs it under policies; how it ended, and which rights it made use of. */
async function runUnder(
  policies: StepPolicies,
): Promise<{ result: LocalRunResult; hasReport: boolean; used: Set<Use> }> {
  const used = new Set<Use>();
  await using world = await openChaosWorld(scenario, {
    policies,
    onUse: (step, right) => void used.add(useOf(step, right)),
  });
  const s3_uri = await writeDataset(scenario, world.directory);
  const { target, soundDeps } = world;
  const { aroundTasks } = createFaultyMachine(soundMachine, {
    breakOff: () => {},
    cancel: async () => {},
    startRival: async () => {},
    harm: async () => {},
    deps: soundDeps,
  });
  const input = { s3_uri, model_id: MODEL, prompt_template: 'Say {name}', run_id: 'ours', ...scenario.keys };
  const result = await runLocally(input, { target, aroundTasks, random: createRandom(1) });
  const { report } = runLayout(runUriOf(target.deps.settings.bucket, 'ours'));
  return { result, hasReport: (await soundDeps.store.head(report)) !== undefined, used };
}

/** True of a run that succeeded and has its report, without which a run ends all the same. */
function isWell({ result, hasReport }: { result: LocalRunResult; hasReport: boolean }): boolean {
  return hasReport && result.kind === 'finished' && result.summary.status === 'succeeded';
}

test('a run of every step is allowed by the stack’s policies, and fails without any right that it used', async () => {
  const policies = readStepPolicies();
  const { used, ...whole } = await runUnder(policies);
  expect(isWell(whole), JSON.stringify(whole).slice(0, 1000)).toBe(true);
  expect(STEP_NAMES.filter((step) => ![...used].some((use) => use.startsWith(`${step} `)))).toEqual([]);
  const passed: string[] = [];
  for (const step of STEP_NAMES) {
    for (const right of policies[step].filter((candidate) => used.has(useOf(step, candidate)))) {
      const without = { ...policies, [step]: policies[step].filter((other) => other !== right) };
      if (isWell(await runUnder(without))) passed.push(useOf(step, right));
    }
  }
  console.log(`${used.size} rights taken away, one at a time`);
  expect(passed).toEqual([]);
}, 600_000);

test('Plan asks the account under the stack’s policies, and plans all the same without either right', async () => {
  const policies = readStepPolicies();
  const planUnder = async (without: string) => {
    const plan = policies.plan.filter(({ action }) => action !== without);
    await using world = await openChaosWorld(scenario, {
      policies: { ...policies, plan },
      account: { batchQuotas: async () => ({ maxConcurrentJobs: 3 }), modelBehind: async () => MODEL },
    });
    const s3_uri = await writeDataset(scenario, world.directory);
    const input = { s3_uri, model_id: PROFILE, base_model_id: MODEL, prompt_template: 'Say {name}' };
    const { base_model_id: _, ...asked } = input;
    const { deps: told } = world.target;
    const settings = { ...told.settings, quotaSources: { maxConcurrentJobs: 'stack' as const } };
    const deps = { ...told, settings };
    const draft = (document: object) => asStep('plan', () => draftPlan(document, deps));
    const { plan: planned } = await draft(without === 'bedrock:GetInferenceProfile' ? input : asked);
    const behind = await asStep('plan', () => modelBehindOf(parseRunInput(asked), deps));
    return { jobs: planned.quotas?.jobs_at_once, notes: [...planned.notes, ...behind.notes].join('\n') };
  };
  expect(await planUnder('nothing')).toMatchObject({ jobs: { value: 3, source: 'account' }, notes: '' });
  const unread = await planUnder('servicequotas:ListServiceQuotas');
  expect(unread).toMatchObject({ jobs: { value: 4, source: 'stack' } });
  expect(unread.notes).toContain('plan may not servicequotas:ListServiceQuotas on *.');
  expect(unread.notes).toContain('The run is packed without them; a job that finds no slot waits.');
  const unseen = await planUnder('bedrock:GetInferenceProfile');
  expect(unseen.jobs).toEqual({ value: 3, source: 'account' });
  expect(unseen.notes).toContain(`Without it, base_model_id says what model ${PROFILE} is of.`);
});
