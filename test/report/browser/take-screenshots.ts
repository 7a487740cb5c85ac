/** Takes the pictures of a report that README and docs/report.md show, of a run on the emulator: `npm run screenshots`. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { writeReport } from '../../../src/report/write-report.ts';
import { exampleRun } from '../../support/reported-run.ts';
import { openBrowser } from './open-browser.ts';

const IMAGES = join(import.meta.dirname, '../../../docs/images');
const SHOTS = [
  { name: 'report-light', scheme: 'light', width: 1120, height: 1340 },
  { name: 'report-dark', scheme: 'dark', width: 1120, height: 1340 },
  { name: 'report-rows', scheme: 'light', width: 1120, height: 760, open: true },
  { name: 'report-phone', scheme: 'light', width: 390, height: 844 },
] as const;

const directory = await mkdtemp(join(tmpdir(), 'quarry-screenshots-'));
try {
  const source = await exampleRun(directory);
  await writeReport(source);
  await mkdir(IMAGES, { recursive: true });
  const browser = await openBrowser();
  for (const shot of SHOTS) {
    const page = await browser.newPage({
      viewport: { width: shot.width, height: shot.height },
      colorScheme: shot.scheme,
    });
    await page.goto(pathToFileURL(source.store.localPath?.(source.layout.report) ?? '').href);
    if ('open' in shot) {
      await page.getByRole('button', { name: /^Failed/ }).click();
      await page.locator('button.open:visible').first().click();
      await page.locator('#rows').scrollIntoViewIfNeeded();
      await page.evaluate("document.getElementById('rows').scrollIntoView()");
    }
    await page.screenshot({ path: join(IMAGES, `${shot.name}.png`) });
    await page.close();
  }
  await browser.close();
} finally {
  await rm(directory, { recursive: true, force: true });
}
