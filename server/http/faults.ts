/** What is wrong with a value, in words that a person can act on: each fault names its field and its limit. */
import type { z } from 'zod';
import type { Fault } from '../errors.ts';

/** A body of nothing but unknown fields must not be answered with one many times its size. */
const MOST_UNKNOWN_FIELDS = 10;

/** The faults that `schema` finds in `value`, or none and what it makes of it. `whole` names the value itself. */
export function check<Value>(
  schema: z.ZodType<Value>,
  value: unknown,
  whole: string,
): { readonly data: Value } | { readonly faults: readonly Fault[] } {
  // Only for what has no words of its own: those in a schema go first.
  const result = schema.safeParse(value, { error: inWords });
  return result.success
    ? { data: result.data }
    : { faults: result.error.issues.flatMap((issue) => faultsOf(issue, whole)) };
}

function faultsOf(issue: z.core.$ZodIssue, whole: string): Fault[] {
  const { path, message } = issue;
  if (issue.code !== 'unrecognized_keys') return [{ field: path.join('.') || whole, message }];
  return issue.keys
    .slice(0, MOST_UNKNOWN_FIELDS)
    .map((key) => ({ field: [...path, key].join('.'), message: 'is not a known field' }));
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  object: 'an object',
  array: 'a list',
};

function inWords(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return 'is missing';
      return `must be ${TYPES[issue.expected] ?? issue.expected}`;
    case 'too_small':
      if (issue.origin !== 'string') return `must be at least ${issue.minimum}`;
      return issue.minimum === 1 ? 'must not be empty' : `must have at least ${issue.minimum} characters`;
    case 'too_big':
      return issue.origin === 'string'
        ? `must have at most ${issue.maximum} characters`
        : `must be at most ${issue.maximum}`;
    case 'invalid_value':
      return issue.input === undefined
        ? 'is missing'
        : `must be one of ${issue.values.map(String).join(', ')}`;
    case 'invalid_format':
      if (issue.format === 'guid') return 'must be a GUID such as eb97a642-78f5-4458-b8ca-036fe70298ef';
  }
  return 'is not valid';
}
