import { type Finding, failed, ok, skipped, warning } from './check.ts';
import type { DoctorOptions } from './doctor-world.ts';

/** First version whose Node runs the sources by erasing types, and has what they use. */
const MIN_NODE = [24, 12] as const;

/** Whether this Node can run Quarry. */
export async function checkNode(version: string): Promise<Finding> {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isNew = major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1]);
  return isNew
    ? ok(`Node ${version}`)
    : failed(`Node ${version} is too old.`, `Install Node ${MIN_NODE.join('.')} or newer.`);
}

/** The public Hub, unless `HF_ENDPOINT` names another. */
const HUB_ENDPOINT = 'https://huggingface.co';
/** Milliseconds for the Hub to answer. */
const HUB_TIMEOUT_MS = 10_000;

/** Whether the Hugging Face Hub takes the token; looked at only where there is one. */
export async function checkHuggingFace({
  environment,
  fetch,
}: Pick<DoctorOptions, 'environment' | 'fetch'>): Promise<Finding> {
  const { HF_TOKEN: token, HF_ENDPOINT: endpoint } = environment;
  if (!token) return skipped('HF_TOKEN is not set: public datasets only.');
  const url = `${(endpoint || HUB_ENDPOINT).replace(/\/+$/, '')}/api/whoami-v2`;
  let response: Response;
  try {
    response = await fetch(url, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(HUB_TIMEOUT_MS),
    });
  } catch (error) {
    const { message, cause } = error as Error;
    return failed(
      `${url} cannot be reached: ${(cause as Error | undefined)?.message ?? message}.`,
      'Check the network, and HF_ENDPOINT if it is set. Datasets in S3 do not need the Hub.',
    );
  }
  if (response.status === 401 || response.status === 403) {
    return failed(
      'The Hub refuses the token in HF_TOKEN.',
      'Make a new one with read access (huggingface.co, Settings, Access Tokens), or unset it.',
    );
  }
  if (!response.ok) {
    return warning(`The Hub answers ${response.status}.`, 'Try again later.');
  }
  const { name } = (await response.json()) as { name?: string };
  return ok(`The Hub knows the token as ${name ?? 'a user'}’s.`);
}
