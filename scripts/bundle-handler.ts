import { bundleHandler } from './bundle.ts';

// `node scripts/bundle-handler.ts ENTRY OUTPUT_FOLDER`: for the synthesis of the stack, which must not wait for promises.
const [entry, outputDirectory] = process.argv.slice(2);
if (entry === undefined || outputDirectory === undefined) {
  throw new Error('Usage: node scripts/bundle-handler.ts ENTRY OUTPUT_FOLDER');
}
bundleHandler(entry, outputDirectory);
