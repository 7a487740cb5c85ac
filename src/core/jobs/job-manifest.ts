import { z } from 'zod';

const Count = z.int().min(0).nullish();

/**
 * Bedrock's `manifest.json.out` of one job. Read tolerantly: it may be missing, partial or have more fields.
 * https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference-results.html
 */
export const JobManifestSchema = z.looseObject({
  totalRecordCount: Count,
  processedRecordCount: Count,
  successRecordCount: Count,
  errorRecordCount: Count,
  inputTokenCount: Count,
  outputTokenCount: Count,
});
export type JobManifest = z.infer<typeof JobManifestSchema>;

/** The manifest in `text`, or undefined where it is none. */
export function parseJobManifest(text: string): JobManifest | undefined {
  try {
    return JobManifestSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
