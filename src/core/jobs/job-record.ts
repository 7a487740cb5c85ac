import { z } from 'zod';

/** `jobs/<part>.json`: what Submit did for a part. */
export const JobRecord = z.object({
  part_id: z.string(),
  job_name: z.string(),
  /** Null until Bedrock has said it, and where Bedrock refused to create the job. */
  job_arn: z.string().nullable(),
  /** Why Bedrock refused, word for word. */
  refusal: z.string().nullable(),
  submitted_at: z.string(),
});
export type JobRecord = z.infer<typeof JobRecord>;
JobRecord.register(z.globalRegistry, { title: 'the record of a part’s job' });
