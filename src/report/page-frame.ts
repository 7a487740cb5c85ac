import { createHash } from 'node:crypto';
import { PAGE_STYLE } from './page-style.ts';

/** A page that one script draws of one value. */
export interface FramedPage {
  title: string;
  /** Elements of its head: trusted HTML. */
  head?: string;
  script: string;
  data: unknown;
  /** Said where no script may run. */
  noscript: string;
}

/**
 * One file of HTML that asks for nothing from anywhere. What a dataset or a model wrote is data in it, which the page's own script
 * puts into elements as text; no other script may run.
 */
export function renderPage({ title, head, script, data, noscript }: FramedPage): string {
  const hash = createHash('sha256').update(script).digest('base64');
  const policy = `default-src 'none'; script-src 'sha256-${hash}'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
${head === undefined ? '' : `${head}\n`}<title>${title}</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<div id="report"><noscript><p>${noscript}</p></noscript></div>
<script type="application/json" id="report-data">${embeddable(data)}</script>
<script>${script}</script>
</body>
</html>
`;
}

/** JSON that stays within its element whatever the texts are: without `<`, and without what editors take for line ends. */
function embeddable(data: unknown): string {
  return JSON.stringify(data).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
