/** Noncharacters of Unicode, which no text has: what stands between them is not for logs, where what follows the second stands for it. */
const [OPEN, INSTEAD, CLOSE] = ['\ufdd0', '\ufdd1', '\ufdd2'];
const MARKED = /\ufdd0([^\ufdd1\ufdd2]*)\ufdd1([^\ufdd2]*)\ufdd2/g;
const MARKS = /[\ufdd0\ufdd1\ufdd2]/g;

/** Marks what a message quotes of a dataset, a prompt or another program: whoever reads the error sees it, and logs have `shown`. */
export function privately(text: string, shown = '…'): string {
  return `${OPEN}${text.replace(MARKS, '')}${INSTEAD}${shown.replace(MARKS, '')}${CLOSE}`;
}

/** A message with all that it says. */
export function wholeText(message: string): string {
  return message.replace(MARKED, '$1').replace(MARKS, '');
}

/** A message without what is marked in it. */
export function publicText(message: string): string {
  return message.replace(MARKED, '$2').replace(MARKS, '');
}
