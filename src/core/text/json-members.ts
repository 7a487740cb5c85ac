/**
 * The text of each member of a JSON object as it is spelled there, by its key: of the last one where a key is there
 * twice, as JSON.parse has it. `json` must be a sound JSON object.
 */
export function membersOf(json: string): Map<string, string> {
  const members = new Map<string, string>();
  let at = json.indexOf('{') + 1;
  for (;;) {
    const keyStart = json.indexOf('"', at);
    if (keyStart === -1) return members;
    const keyEnd = endOfString(json, keyStart);
    const valueStart = json.indexOf(':', keyEnd) + 1;
    const valueEnd = endOfValue(json, valueStart);
    const quoted = json.slice(keyStart, keyEnd);
    const key: string = quoted.includes('\\') ? JSON.parse(quoted) : quoted.slice(1, -1);
    members.set(key, json.slice(valueStart, valueEnd).trim());
    at = valueEnd + 1;
  }
}

/** Index after the closing quote of the string that begins at `start`. */
function endOfString(json: string, start: number): number {
  let end = json.indexOf('"', start + 1);
  for (;;) {
    let backslashes = 0;
    while (json[end - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return end + 1;
    end = json.indexOf('"', end + 1);
  }
}

/** Index of the comma or brace that ends the value at `start`. */
function endOfValue(json: string, start: number): number {
  let depth = 0;
  for (let at = start; ; ) {
    switch (json[at]) {
      case '"':
        at = endOfString(json, at);
        continue;
      case '{':
      case '[':
        depth += 1;
        break;
      case '}':
      case ']':
        if (depth === 0) return at;
        depth -= 1;
        break;
      case ',':
        if (depth === 0) return at;
        break;
    }
    at += 1;
  }
}
