import { execFileSync } from 'node:child_process';
import { cpSync, existsSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import type { StepSize } from './step-sizes.ts';

/** Bundles that the package brings; a checkout has none, and makes them of the sources whenever they are needed. */
const PREBUILT = join(import.meta.dirname, 'lambda');
const ROOT = join(import.meta.dirname, '..');
const HANDLERS = join(ROOT, 'src', 'handlers');
/** TypeScript in a checkout, JavaScript in the package. */
const INSTALL_DUCKDB = join(import.meta.dirname, `install-duckdb${extname(import.meta.filename)}`);

/** The code of a step's function: its bundle, and DuckDB beside it where the step reads rows. */
export function stepCode({ file, duckDb }: StepSize): Code {
  const isPackage = existsSync(PREBUILT);
  const prebuilt = join(PREBUILT, basename(file, '.ts'));
  return Code.fromAsset(isPackage ? prebuilt : HANDLERS, {
    // Of what comes out, as a bundle is made of more than one folder.
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Tells the functions apart; no container is ever started, since the code is laid out here.
      command: [file],
      image: DockerImage.fromRegistry('scratch'),
      local: {
        tryBundle: (outputDirectory) => {
          if (isPackage) cpSync(prebuilt, outputDirectory, { recursive: true });
          else runScript(join(ROOT, 'scripts', 'bundle-handler.ts'), join(HANDLERS, file), outputDirectory);
          if (duckDb) runScript(INSTALL_DUCKDB, outputDirectory);
          return true;
        },
      },
    },
  });
}

/** In a process of its own, as synthesis waits for no promise. */
function runScript(script: string, ...args: string[]): void {
  execFileSync(process.execPath, [script, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
}
