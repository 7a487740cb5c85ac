import { type MediaFaultName, type MediaKind, mediaFaultCode } from '../../core/jobs/unsent-rows.ts';

/** Why an image or a document cannot be sent. */
export interface MediaFault {
  kind: 'fault';
  name: MediaFaultName;
  /** What is wrong with it, as the end of a sentence that begins with what it is: `is not there`. */
  text: string;
}

/** A fault of this name. */
export function mediaFault(name: MediaFaultName, text: string): MediaFault {
  return { kind: 'fault', name, text };
}

/** What a row's error columns say of a fault in one of its columns. */
export function faultColumns(
  { name, text }: MediaFault,
  { kind, column }: { kind: MediaKind; column: string },
): { code: string; message: string } {
  const message = `The ${kind} in column "${column}" ${text}, so the row was not sent.`;
  return { code: mediaFaultCode(kind, name), message };
}
