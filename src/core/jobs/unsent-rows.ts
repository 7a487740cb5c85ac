/** Error code of a row whose prompt needs a value that is null. */
export const NULL_PROMPT_VALUE = 'NullPromptValue';
/** Error code of a row whose value in `prompt_id_column` is null, or no prompt's id. */
export const UNKNOWN_PROMPT_ID = 'UnknownPromptId';

/** What a row may show the model beside its text. */
export type MediaKind = 'image' | 'document';

const MEDIA_FAULTS = [
  'NotFound',
  'TooLarge',
  'FormatUnsupported',
  'NotAllowed',
  'NotReadable',
  'NotFetched',
] as const;

/** Why an image or a document cannot be sent. */
export type MediaFaultName = (typeof MEDIA_FAULTS)[number];

/** The error code of a row whose image or document cannot be sent. */
export function mediaFaultCode(kind: MediaKind, fault: MediaFaultName): string {
  return `${kind === 'image' ? 'Image' : 'Document'}${fault}`;
}

/** Error codes of rows that are not sent for what they have in them: nothing was paid for them, and they say nothing of the others. */
export const UNSENT_ROW_CODES: readonly string[] = [
  NULL_PROMPT_VALUE,
  UNKNOWN_PROMPT_ID,
  ...MEDIA_FAULTS.flatMap((fault) => [mediaFaultCode('image', fault), mediaFaultCode('document', fault)]),
];
