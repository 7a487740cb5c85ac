/** One statement of an IAM policy, resolved. */
export interface PolicyStatement {
  Sid: string;
  Effect: 'Allow' | 'Deny';
  Action: string | string[];
  Resource: string | string[];
  Condition?: Record<string, Record<string, string | string[]>>;
}

/** What a call needs to be allowed. */
export interface RequiredRight {
  action: string;
  resource: string;
  /** Condition keys that the service sets. */
  context?: Readonly<Record<string, string>>;
}

/** The statement that allows a right, and the resource pattern of it; undefined where none does. */
export function allowingStatement(
  statements: readonly PolicyStatement[],
  right: RequiredRight,
): { statement: PolicyStatement; pattern: string } | undefined {
  for (const statement of statements) {
    if (statement.Effect !== 'Allow') continue;
    if (![statement.Action].flat().some((action) => matches(action, right.action))) continue;
    const pattern = [statement.Resource].flat().find((resource) => matches(resource, right.resource));
    if (pattern === undefined || !holds(statement.Condition, right.context ?? {})) continue;
    return { statement, pattern };
  }
  return undefined;
}

/** `*` is any text, `?` any letter, as IAM has it. */
export function matches(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(text);
}

/** Every condition must hold; an operator that is not known here does not. */
export function holds(
  condition: PolicyStatement['Condition'],
  context: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(condition ?? {}).every(
    ([operator, keys]) =>
      (operator === 'StringEquals' || operator === 'ArnLike') &&
      Object.entries(keys).every(([key, allowed]) => {
        const value = context[key];
        return value !== undefined && [allowed].flat().some((entry) => matches(entry, value));
      }),
  );
}
