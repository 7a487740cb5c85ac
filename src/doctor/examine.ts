import { type Check, makeChecks, type PlannedCheck } from './check.ts';
import { checkBedrock, checkCredentials, checkRegion, checkStack } from './check-account.ts';
import { checkBucket, checkEncryption, checkObjects, checkPublicAccess } from './check-bucket.ts';
import { checkHuggingFace, checkNode } from './check-machine.ts';
import { checkModel } from './check-model.ts';
import { checkLambda, checkQuotas } from './check-quotas.ts';
import { checkPassRole, checkRights, checkTrust } from './check-role.ts';
import { type DoctorOptions, type DoctorWorld, openDoctorWorld } from './doctor-world.ts';

/** Milliseconds that a check may take. */
const CHECK_TIMEOUT_MS = 20_000;

/** What has been found. */
export interface Diagnosis {
  target: DoctorOptions['target'];
  /** False where a check has failed. */
  ok: boolean;
  checks: Check[];
}

/** Looks at all that runs on a target need, side by side. Never throws for what it finds. */
export async function examine(options: DoctorOptions, nodeVersion: string): Promise<Diagnosis> {
  using world = openDoctorWorld(options);
  const checks = await makeChecks(
    [
      { name: 'Node', run: () => checkNode(nodeVersion) },
      ...(options.target === 'local' ? [] : awsChecks(world)),
      { name: 'Hugging Face', run: () => checkHuggingFace(options) },
    ],
    { clock: options.clock, timeoutMs: CHECK_TIMEOUT_MS },
  );
  return { target: options.target, ok: checks.every(({ status }) => status !== 'failed'), checks };
}

function awsChecks(world: DoctorWorld): PlannedCheck[] {
  const onStack = world.options.target === 'aws';
  const check = (name: string, run: (world: DoctorWorld) => Promise<PlannedCheckResult>): PlannedCheck => ({
    name,
    run: () => run(world),
  });
  return [
    check('Region', checkRegion),
    check('Credentials', checkCredentials),
    check('Bedrock', checkBedrock),
    ...(onStack ? [check('Stack', checkStack)] : []),
    check('Bucket', checkBucket),
    check('Encryption', checkEncryption),
    check('Public access', checkPublicAccess),
    check('Objects', checkObjects),
    check('Service role', checkTrust),
    check('Role’s rights', checkRights),
    ...(onStack ? [] : [check('Passing the role', checkPassRole)]),
    check('Model', checkModel),
    check('Quotas', checkQuotas),
    ...(onStack ? [check('Lambda', checkLambda)] : []),
  ];
}

type PlannedCheckResult = Awaited<ReturnType<PlannedCheck['run']>>;
