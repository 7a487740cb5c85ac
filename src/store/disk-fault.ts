import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AccessDeniedError, DiskFullError, type QuarryError } from '../core/errors.ts';

/** DuckDB says what the system said, in words and without a code. */
const FULL = /No space left on device|Disk quota exceeded|not enough space/i;
const READ_ONLY = /Read-only file system|Permission denied|Operation not permitted/i;

const FULL_CODES = ['ENOSPC', 'EDQUOT'];
const READ_ONLY_CODES = ['EROFS', 'EACCES', 'EPERM'];

/** Calls of the system that only look. */
const LOOKS = ['scandir', 'opendir', 'stat', 'lstat', 'read', 'readlink', 'realpath', 'access'];

/**
 * The named error where a disk is full, or may not be written to or read, by code or by DuckDB's words; else undefined. `isReading`
 * of what is known to have been done.
 */
export function diskFaultOf(
  error: unknown,
  place?: string,
  { isReading = false } = {},
): QuarryError | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof DiskFullError) return error;
  // Bedrock denies access too, which is no fault of the disk.
  if (error instanceof AccessDeniedError) return diskFaultOf(error.cause) && error;
  const { code = '', path = place, message, syscall = '' } = error as NodeJS.ErrnoException;
  const detail = `${path === undefined ? '' : `${path}: `}${message.split('\n')[0]}`;
  const isDuckDb = message.startsWith('IO Error');
  if (FULL_CODES.includes(code) || (isDuckDb && FULL.test(message))) {
    return new DiskFullError(`The disk is full (${detail}). Free some space; no work is lost.`, {
      cause: error,
    });
  }
  if (READ_ONLY_CODES.includes(code) || (isDuckDb && READ_ONLY.test(message))) {
    const isLook =
      code !== 'EROFS' &&
      (isReading || LOOKS.includes(syscall) || /^IO Error: (?:Cannot|Could not) read/.test(message));
    return new AccessDeniedError(
      isLook ? `The disk may not be read (${detail}).` : `The disk may not be written to (${detail}).`,
      { cause: error },
    );
  }
  return undefined;
}

/** On a disk that is read only, making a folder fails as if its parent were missing: why a write below `folder` failed. */
export async function causeOfFailedWrite(
  error: NodeJS.ErrnoException,
  folder: string,
): Promise<NodeJS.ErrnoException> {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') return error;
  for (let present = folder; ; present = dirname(present)) {
    const denial = await access(present, constants.W_OK).catch((denied: NodeJS.ErrnoException) => denied);
    if (denial === undefined) return error;
    if (denial.code !== 'ENOENT' || present === dirname(present)) return denial;
  }
}
