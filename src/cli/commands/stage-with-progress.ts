import type { S3Uri } from '../../core/s3-uri.ts';
import type { RunFiles } from '../../targets/run-files.ts';
import type { CliContext } from '../cli-context.ts';
import { CliError, EXIT_INTERRUPTED } from '../cli-error.ts';
import { withStopSignals } from '../stop-signals.ts';
import { createProgressReporter } from '../views/progress-reporter.ts';

/** Puts a local dataset where a run reads it, and shows how far it is; Ctrl-C breaks it off and leaves nothing half done. */
export async function stageWithProgress(
  path: string,
  { files, context }: { files: RunFiles; context: CliContext },
): Promise<S3Uri> {
  const reporter = createProgressReporter(context.err);
  try {
    return await withStopSignals(context, async (signal) => {
      const staging = files.stage(path, { onProgress: reporter.report, signal });
      const uri = await staging.catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
      if (uri !== undefined) return uri;
      const message = 'Nothing was sent yet. The same command starts the run again.';
      throw new CliError('Stopped', message, EXIT_INTERRUPTED);
    });
  } finally {
    reporter.stop();
  }
}
