/** Two noncharacters of Unicode, which no text has: between them stands what is not for logs. */
const [OPEN, CLOSE] = ['\ufdd0', '\ufdd1'];
const MARKED = /\ufdd0[^\ufdd1]*\ufdd1/g;
const MARKS = /[\ufdd0\ufdd1]/g;
const HIDDEN = '…';

/** Marks what a message quotes of a dataset, a prompt or another program: whoever reads the error sees it, and no log has it. */
export function privately(text: string): string {
  return `${OPEN}${text.replace(MARKS, '')}${CLOSE}`;
}

/** A message with all that it says. */
export function wholeText(message: string): string {
  return message.replace(MARKS, '');
}

/** A message without what is marked in it. */
export function publicText(message: string): string {
  return message.replace(MARKED, HIDDEN).replace(MARKS, '');
}
