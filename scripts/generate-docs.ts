/** Writes the pages that are made from the sources; with `--check`, only says which of them are stale. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { definition } from '../src/workflow/definition.ts';
import { drawDefinition } from '../src/workflow/diagram.ts';
import { type GeneratedDoc, replaceMarked, updateDocs } from './generated-docs.ts';
import { renderLayers } from './layers.ts';
import { renderModelsPage } from './models-page.ts';
import { renderNativeAdapters } from './native-adapters.ts';
import {
  DIFF_PAGE_SCRIPT_PATH,
  hasPlotLibrary,
  PAGE_SCRIPT_PATH,
  renderDiffPageScript,
  renderPageScript,
} from './page-script.ts';
import { renderRunInputPage } from './run-input-page.ts';
import { renderWatchEvents } from './watch-events.ts';

const NATIVE_ADAPTERS_PATH = 'src/models/adapters/native-adapters.ts';

/** Every page that is made from the sources. */
const GENERATED_DOCS: readonly GeneratedDoc[] = [
  { path: 'docs/run-input.md', render: renderRunInputPage },
  { path: 'docs/models.md', render: renderModelsPage },
  { path: 'docs/watch.md', render: (current) => replaceMarked(current, 'events', renderWatchEvents()) },
  { path: 'biome.layers.json', render: renderLayers },
  { path: PAGE_SCRIPT_PATH, render: renderPageScript },
  { path: DIFF_PAGE_SCRIPT_PATH, render: renderDiffPageScript },
  { path: NATIVE_ADAPTERS_PATH, render: renderNativeAdapters },
  {
    path: 'ARCHITECTURE.md',
    render: (current) =>
      replaceMarked(current, 'state machine', `\`\`\`mermaid\n${drawDefinition(definition)}\`\`\``),
  },
];

const check = process.argv.includes('--check');
const canBundle = hasPlotLibrary();
if (!canBundle) {
  console.error('NOT MADE: src/report/page-script.ts, as @observablehq/plot is not installed. Run npm ci.');
  if (check) process.exitCode = 1;
}
const docs = GENERATED_DOCS.filter(({ path }) => canBundle || path !== PAGE_SCRIPT_PATH);
const stale = await updateDocs(docs, { root: join(import.meta.dirname, '..'), check });
if (!check) {
  // The pages above were made with the old list of adapters.
  if (stale.includes(NATIVE_ADAPTERS_PATH)) execFileSync(process.execPath, [import.meta.filename]);
  console.log(stale.length === 0 ? 'Every generated page is up to date.' : `Written: ${stale.join(', ')}`);
} else if (stale.length > 0) {
  console.error(
    `Stale: ${stale.join(', ')}. Run \`node scripts/generate-docs.ts\` and commit what it writes.`,
  );
  process.exitCode = 1;
}
