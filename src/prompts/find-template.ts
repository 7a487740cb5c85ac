import { InvalidRunInputError } from '../core/errors.ts';
import { byLikeness } from '../core/text/nearest.ts';
import { promptIdToTemplate } from './prompt-templates.ts';

/** The template of a prompt id; throws InvalidRunInputError that lists all ids, the nearest first. */
export function findTemplate(promptId: string): string {
  const template = Object.hasOwn(promptIdToTemplate, promptId) ? promptIdToTemplate[promptId] : undefined;
  if (template === undefined) {
    const known = byLikeness(promptId, Object.keys(promptIdToTemplate));
    throw new InvalidRunInputError(
      `There is no prompt_id "${promptId}". Known ids, the nearest first: ${known.join(', ')}. Or give the text itself as prompt_template.`,
    );
  }
  return template;
}
