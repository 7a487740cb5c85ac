import type { QuarryError } from '../../core/errors.ts';

/** What a target has to tell whoever runs something on it. */
export interface TargetNotice {
  message: string;
  /** There where the target cannot go on with what it has. */
  fault?: QuarryError;
}

/** Keeps notices until somebody reads them. */
export interface NoticeBoard {
  post(notice: TargetNotice): void;
  /** Reads what was posted, and everything from now on. */
  read(reader: (notice: TargetNotice) => void): void;
}

/** An empty board. */
export function createNoticeBoard(): NoticeBoard {
  const posted: TargetNotice[] = [];
  let show = (notice: TargetNotice): void => void posted.push(notice);
  return {
    post: (notice) => show(notice),
    read: (reader) => {
      show = reader;
      for (const notice of posted.splice(0)) reader(notice);
    },
  };
}
