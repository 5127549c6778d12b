/** What an entry carries besides its columns, as lines to read: what changed, and what else is known. */

export type Value = string | number | boolean | null;

/** A value that was another one before. */
export interface Change {
  /** Empty where the entry has but one value, without a name. */
  readonly field: string;
  readonly before: readonly Value[];
  readonly after: readonly Value[];
}

export interface Known {
  readonly field: string;
  readonly values: readonly Value[];
}

export interface Detail {
  readonly changes: readonly Change[];
  readonly known: readonly Known[];
}

/** Takes `before` and `after` apart field by field; everything else keeps its path. */
export function readDetail(detail: Readonly<Record<string, unknown>>): Detail {
  const { before, after, ...rest } = detail;
  if (!('before' in detail && 'after' in detail)) return { changes: [], known: leaves(detail) };
  return { changes: changesBetween(leaves(before), leaves(after)), known: leaves(rest) };
}

function changesBetween(before: readonly Known[], after: readonly Known[]): Change[] {
  const fields = new Set([...before, ...after].map(({ field }) => field));
  const valuesOf = (known: readonly Known[], field: string) =>
    known.find((one) => one.field === field)?.values ?? [null];
  return [...fields]
    .map((field) => ({
      field,
      before: valuesOf(before, field),
      after: valuesOf(after, field),
    }))
    .filter((change) => change.before.some(isSaid) || change.after.some(isSaid));
}

/** Every value in it, with its path: `a.b`; a plain list is one line. */
function leaves(value: unknown, field = ''): Known[] {
  if (Array.isArray(value) && value.every((item) => isValue(item))) return [{ field, values: value }];
  if (typeof value !== 'object' || value === null)
    return [{ field, values: [isValue(value) ? value : null] }];
  return Object.entries(value).flatMap(([key, inner]) =>
    leaves(inner, field === '' ? key : `${field}.${key}`),
  );
}

function isSaid(value: Value): boolean {
  return value !== null;
}

function isValue(value: unknown): value is Value {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}
