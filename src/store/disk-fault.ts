import { AccessDeniedError, DiskFullError, type QuarryError } from '../core/errors.ts';

/** DuckDB says what the system said, in words and without a code. */
const FULL = /No space left on device|Disk quota exceeded|not enough space/i;
const READ_ONLY = /Read-only file system|Permission denied|Operation not permitted/i;

const FULL_CODES = ['ENOSPC', 'EDQUOT'];
const READ_ONLY_CODES = ['EROFS', 'EACCES', 'EPERM'];

/** The named error where a disk is full or may not be written to, by code or by DuckDB's words; else undefined. */
export function diskFaultOf(error: unknown, place?: string): QuarryError | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof DiskFullError) return error;
  // Bedrock denies access too, which is no fault of the disk.
  if (error instanceof AccessDeniedError) return diskFaultOf(error.cause) && error;
  const { code = '', path = place, message } = error as NodeJS.ErrnoException;
  const detail = `${path === undefined ? '' : `${path}: `}${message.split('\n')[0]}`;
  const isDuckDb = message.startsWith('IO Error');
  if (FULL_CODES.includes(code) || (isDuckDb && FULL.test(message))) {
    return new DiskFullError(`The disk is full (${detail}). Free some space; nothing that is done is lost.`, {
      cause: error,
    });
  }
  if (READ_ONLY_CODES.includes(code) || (isDuckDb && READ_ONLY.test(message))) {
    return new AccessDeniedError(`The disk may not be written to (${detail}).`, { cause: error });
  }
  return undefined;
}
