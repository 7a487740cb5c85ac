import { isJsonObject } from '../core/text/json-value.ts';

/** A value of a template as a person reads it: references as `${Name}`, all else as JSON. */
export function textOfValue(value: unknown): string {
  if (typeof value === 'string') return value;
  if (!isJsonObject(value))
    return Array.isArray(value) ? `[${value.map(textOfValue).join(', ')}]` : String(value);
  const entries = Object.entries(value);
  const [[name, inner] = ['', undefined]] = entries;
  if (entries.length === 1) {
    if (name === 'Ref') return `\${${String(inner)}}`;
    if (name === 'Fn::GetAtt') return `\${${[inner].flat().join('.')}}`;
    if (name === 'Fn::Join' && Array.isArray(inner)) {
      return [inner[1]].flat().map(textOfValue).join(String(inner[0]));
    }
    if (name === 'Fn::Sub') return textOfValue([inner].flat()[0]);
  }
  return entries.map(([key, entry]) => `${key}: ${textOfValue(entry)}`).join(', ');
}
