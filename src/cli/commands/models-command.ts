import type { Command } from 'commander';
import { type ListedModel, listModels } from '../../index.ts';
import type { CliContext } from '../cli-context.ts';
import { modelLines } from '../views/models-view.ts';

/** `quarry models`: what Quarry knows of Bedrock's models. */
export function addModelsCommand(program: Command, { out }: CliContext): void {
  program
    .command('models')
    .argument('[word...]', 'only models whose id or name has these words')
    .description('List the models that Quarry knows: ids, batch or not, regions, prices, limits.')
    .option('--json', 'print all that is known, as JSON')
    .action((words: string[], options: { json?: boolean }) => {
      const models = listModels().filter((model) => words.every((word) => isOf(model, word)));
      out.write(options.json ? `${JSON.stringify(models, null, 2)}\n` : `${modelLines(models).join('\n')}\n`);
    });
}

function isOf({ id, name, family, ids }: ListedModel, word: string): boolean {
  return [id, name, family ?? '', ...ids].some((text) => text.toLowerCase().includes(word.toLowerCase()));
}
