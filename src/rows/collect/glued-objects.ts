/**
 * The JSON objects that stand in a text one after the other, as a writer leaves them that forgot a line break; the text
 * itself where it is anything else.
 */
export function gluedObjects(text: string): string[] {
  const objects: string[] = [];
  let depth = 0;
  let start = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (inString) {
      if (character === '\\') at += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === '{') depth += 1;
    else if (character === '}') {
      depth -= 1;
      if (depth !== 0) continue;
      objects.push(text.slice(start, at + 1));
      start = at + 1;
    }
  }
  const rest = text.slice(start).trim();
  if (objects.length === 0) return [text];
  return rest === '' ? objects : [...objects, rest];
}
