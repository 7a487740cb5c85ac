import { isJsonObject } from '../core/text/json-value.ts';

/** Keys of bodies whose strings a model reads. */
const READ_KEYS: ReadonlySet<string> = new Set([
  ...['text', 'content', 'system', 'prompt', 'inputText', 'value', 'schema'],
]);

/** Tokens around each text of a chat: who says it, and where it ends. */
export const TOKENS_PER_TEXT = 4;

/** The texts that a model reads of a `modelInput`: prompts, turns, the schema of its answers. */
export function inputTexts(body: unknown, key = ''): string[] {
  if (typeof body === 'string') return READ_KEYS.has(key) && body !== '' ? [body] : [];
  if (Array.isArray(body)) return body.flatMap((item) => inputTexts(item, key));
  if (!isJsonObject(body)) return [];
  // A schema goes to the model as JSON.
  if (key === 'schema') return [JSON.stringify(body)];
  return Object.entries(body).flatMap(([name, value]) => inputTexts(value, name));
}
