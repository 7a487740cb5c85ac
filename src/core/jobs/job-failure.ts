import { sentenceOf } from '../text/sentence.ts';

/** A message of Bedrock or S3 that speaks of rights: it would be the same for every job of the role. */
const ACCESS_MESSAGE = /permission|access ?denied|not authorized|unauthorized|\brole\b|\bkms\b/i;

/** True where a job failed for want of a right: every other job of the role would fail as well. */
export function isAccessFailure(message: string): boolean {
  return ACCESS_MESSAGE.test(message);
}

/** What Bedrock said of a job that failed for want of a right, and what to do about it. */
export function accessFailureText(message: string): string {
  const advice =
    invocationAdvice(message) ||
    ' Check what the service role may read and write in S3, and whether it may use the KMS keys.';
  return `${sentenceOf(message)}${advice}`;
}

/** What to do where a role may not run the model; empty where a message does not speak of that. */
export function invocationAdvice(message: string): string {
  if (!/invoke ?model/i.test(message)) return '';
  return ' Allow the service role bedrock:InvokeModel on the inference profile, if the run uses one, and on the model in every region of it.';
}
