import {
  AccessDeniedError,
  InvalidDatasetError,
  InvalidRunInputError,
  type QuarryError,
} from '../core/errors.ts';

/** What was asked for when an answer was no. */
export interface HubSubject {
  endpoint: string;
  datasetId: string;
  revision: string;
  hasToken: boolean;
}

/**
 * The error that a refusal of the Hub stands for, told by its `X-Error-Code` and `X-Error-Message` headers as the
 * Hub's own Python client does. https://huggingface.co/docs/huggingface_hub/package_reference/utilities#http-errors
 */
export function toHubError(response: Response, subject: HubSubject): QuarryError {
  const { endpoint, datasetId, revision, hasToken } = subject;
  const code = response.headers.get('x-error-code');
  const said = response.headers.get('x-error-message') ?? '';
  const page = `${endpoint}/datasets/${datasetId}`;
  if (code === 'GatedRepo') {
    return new AccessDeniedError(
      `The dataset "${datasetId}" is gated. Accept its terms at ${page}, then ${
        hasToken
          ? 'see that HF_TOKEN belongs to the account that was let in, and may read gated repositories'
          : 'set HF_TOKEN to a token of that account'
      }.`,
    );
  }
  if (code === 'RevisionNotFound') {
    return new InvalidRunInputError(
      `The dataset "${datasetId}" has no revision "${revision}". Give a branch, tag or commit that is listed at ${page}/tree/main.`,
    );
  }
  if (code === 'EntryNotFound') {
    return new InvalidDatasetError(
      `A file of the dataset "${datasetId}" is listed at revision ${revision} but cannot be downloaded: ${pathOf(response)}.`,
    );
  }
  if (response.status === 401 && /invalid (credentials|username)/i.test(said)) {
    return new AccessDeniedError(
      `${endpoint} does not accept HF_TOKEN: ${said}. Make a new token at ${endpoint}/settings/tokens, or unset HF_TOKEN for a public dataset.`,
    );
  }
  if (code === 'RepoNotFound' || response.status === 401 || response.status === 404) {
    return new InvalidRunInputError(
      `There is no dataset "${datasetId}" at ${endpoint}, or it is private and ${
        hasToken ? 'the account of HF_TOKEN may not read it' : 'HF_TOKEN is not set'
      }; the Hub does not tell which. Check the id at ${page}, and HF_TOKEN.`,
    );
  }
  if (response.status === 403) {
    return new AccessDeniedError(
      `${endpoint} refuses the dataset "${datasetId}"${said === '' ? '' : `: ${said}`}. See ${page}, and what HF_TOKEN may do.`,
    );
  }
  return new InvalidDatasetError(
    `${endpoint} answered ${response.status} for ${pathOf(response)} of the dataset "${datasetId}"${said === '' ? '' : `: ${said}`}.`,
  );
}

/** The path alone: the query of a signed link is a secret. */
function pathOf(response: Response): string {
  return URL.canParse(response.url) ? new URL(response.url).pathname : 'a request';
}
