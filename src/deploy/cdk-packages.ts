import { createRequire } from 'node:module';
import packageJson from '../../package.json' with { type: 'json' };
import { DeploymentError } from '../core/errors.ts';

/** What a deployment takes beside the package itself: optional peers, as most who use Quarry deploy nothing. */
const PACKAGES = {
  'aws-cdk': 'aws-cdk/bin/cdk',
  'aws-cdk-lib': 'aws-cdk-lib/package.json',
  constructs: 'constructs/package.json',
} as const;

/** Finds a file of a package; throws where the package is not installed. */
export type FindFile = (file: string) => string;

const findInstalled: FindFile = createRequire(import.meta.url).resolve;

/** The path of the CDK's command line. Throws DeploymentError that says what to install where the CDK is not there. */
export function requireCdk(find: FindFile = findInstalled): string {
  const missing = Object.entries(PACKAGES)
    .filter(([, file]) => !isThere(file, find))
    .map(([name]) => name as keyof typeof PACKAGES);
  if (missing.length > 0) {
    const peers: Readonly<Record<string, string>> = packageJson.peerDependencies;
    throw new DeploymentError(
      `Deploying takes the AWS CDK, which is not installed: npm install ${missing.map((name) => `${name}@${peers[name]}`).join(' ')}`,
    );
  }
  return find(PACKAGES['aws-cdk']);
}

function isThere(file: string, find: FindFile): boolean {
  try {
    find(file);
    return true;
  } catch {
    return false;
  }
}
