import { join } from 'node:path';
import type { Command } from 'commander';
import { initProject } from '../../index.ts';
import type { CliContext } from '../cli-context.ts';
import { shellWord } from '../views/format.ts';
import { pasteable } from '../views/pasteable.ts';

/** `quarry init`: lays a project to begin with. */
export function addInitCommand(program: Command, { out }: CliContext): void {
  program
    .command('init')
    .argument('[folder]', 'where; default: here', '.')
    .description('Create a project: a run input with comments, a prompt, a dataset and a configuration file.')
    .action(async (folder: string) => {
      const { created, kept } = await initProject(folder);
      for (const name of created) out.write(`created  ${join(folder, name)}\n`);
      for (const name of kept) out.write(`kept     ${join(folder, name)}\n`);
      const place = folder === '.' ? '' : `cd ${shellWord(folder)} && `;
      out.write(`\nTo run it: ${place}${pasteable('run --input run.yaml')}\n`);
    });
}
