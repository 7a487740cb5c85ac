import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** A page in a browser. */
export interface Opened {
  page: Page;
  /** What the console and the network saw that they should not have. */
  complaints: string[];
}

/** How the page is looked at. */
export interface Look {
  width?: number;
  colorScheme?: 'light' | 'dark';
}

/** Opens a page as a file of this machine, and notes every error and every request. */
export async function openPage(
  browser: Browser,
  html: string,
  { width = 1200, colorScheme = 'light' }: Look = {},
): Promise<Opened> {
  const file = join(await temporaryDirectory(), 'report.html');
  await writeFile(file, html);
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme, bypassCSP: false });
  const complaints: string[] = [];
  page.on('console', (message) => void complaints.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => void complaints.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith('file:')) complaints.push(request.url());
  });
  page.on('dialog', async (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  await page.goto(pathToFileURL(file).href);
  await page.waitForSelector('h1');
  return { page, complaints };
}

/** What axe finds, as rule and element. */
export async function axeFindings(page: Page): Promise<string[]> {
  await page.evaluate(await readFile(AXE, 'utf8'));
  return page.evaluate(
    'axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`)))',
  );
}
