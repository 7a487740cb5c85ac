import type { Clock } from '../core/clock.ts';
import { InvalidRunInputError } from '../core/errors.ts';

/** Where the Hugging Face Hub is, as whom we speak to it, and with what. */
export interface HubAccess {
  /** `HF_ENDPOINT`, or DEFAULT_HUB_ENDPOINT. */
  endpoint: string;
  /** `HF_TOKEN`; undefined = anonymous. Only ever sent to the endpoint and to the dataset viewer's API. */
  token: string | undefined;
  fetch: typeof fetch;
  /** Waits between attempts. The Hub's waits are real: give the machine's own clock, even to a run in virtual time. */
  clock: Clock;
  /** From 0 up to 1; spreads the attempts of many clients. */
  random: () => number;
  /** Told, before every wait, why the Hub is asked again and when. */
  onWait?: (message: string) => void;
  /** Aborted when nobody waits for an answer any more. */
  signal?: AbortSignal;
  /** The dataset viewer's API. @default the endpoint with `datasets-server.` before its host */
  viewerEndpoint?: string;
  /** Milliseconds without a byte after which a connection is given up for a new one. @default 60_000 */
  stallTimeoutMs?: number;
}

/** The public Hub. https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables#hfendpoint */
export const DEFAULT_HUB_ENDPOINT = 'https://huggingface.co';

/** HubAccess with its defaults filled in. */
export interface ResolvedHubAccess extends Omit<Required<HubAccess>, 'viewerEndpoint' | 'onWait' | 'signal'> {
  onWait?: (message: string) => void;
  signal?: AbortSignal;
  /** Undefined = there is none beside this endpoint. */
  viewerEndpoint: string | undefined;
}

/** Fills in the defaults. Throws InvalidRunInputError where the endpoint is no URL. */
export function withHubDefaults(access: HubAccess): ResolvedHubAccess {
  if (!/^https?:$/.test(URL.parse(access.endpoint)?.protocol ?? '')) {
    throw new InvalidRunInputError(
      `HF_ENDPOINT is "${access.endpoint}". Write it as a URL, like ${DEFAULT_HUB_ENDPOINT}.`,
    );
  }
  const endpoint = access.endpoint.replace(/\/+$/, '');
  // As the `datasets` library derives it; an IP address has no names below it.
  const viewerEndpoint = access.viewerEndpoint ?? endpoint.replace('://', '://datasets-server.');
  return {
    ...access,
    endpoint,
    viewerEndpoint: URL.canParse(viewerEndpoint) ? viewerEndpoint.replace(/\/+$/, '') : undefined,
    stallTimeoutMs: access.stallTimeoutMs ?? 60_000,
  };
}
