/** The keys as a flat list, read from the schema: their names everywhere, their limits in words, their text form. */
import { z } from 'zod';
import { configSchema } from './schema.ts';

/** What one key's JSON Schema (draft 2020-12) says, as far as the schema uses it. */
interface KeySchema {
  readonly type: 'string' | 'integer' | 'boolean' | 'array';
  readonly description: string;
  /** What a text stands for, where it is not free text. */
  readonly title?: string;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly enum?: readonly string[];
  readonly items?: { readonly title: string };
}

interface SectionSchema {
  readonly description: string;
  readonly properties: Readonly<Record<string, KeySchema>>;
}

export interface Setting {
  /** `http.port`: its place in `keyswitch.yaml`, and its flag after `--`. */
  readonly path: string;
  readonly section: string;
  readonly key: string;
  /** `KEYSWITCH_HTTP_PORT`. */
  readonly environmentName: string;
  readonly type: KeySchema['type'];
  /** Type and limits in words: `whole number, 0 to 65535`. */
  readonly range: string;
  /** Undefined where there is none. */
  readonly default: unknown;
  readonly description: string;
}

export interface Section {
  readonly name: string;
  readonly description: string;
  readonly settings: readonly Setting[];
}

/** Renders the whole schema as JSON Schema (draft 2020-12), for editors. */
export function toJsonSchema(): { readonly properties: Readonly<Record<string, SectionSchema>> } {
  // Every section and key of ours has a description and a plain type, which zod's own type cannot say.
  return z.toJSONSchema(configSchema, { io: 'input' }) as unknown as ReturnType<typeof toJsonSchema>;
}

/** The sections in the order of the schema. */
export const SECTIONS: readonly Section[] = Object.entries(toJsonSchema().properties).map(
  ([name, schema]) => ({
    name,
    description: schema.description,
    settings: Object.entries(schema.properties).map(([key, keySchema]) => ({
      path: `${name}.${key}`,
      section: name,
      key,
      environmentName: `KEYSWITCH_${screamingSnake(name)}_${screamingSnake(key)}`,
      type: keySchema.type,
      range: inWords(keySchema),
      default: keySchema.default,
      description: keySchema.description,
    })),
  }),
);

/** Every key, in the order of the schema. */
export const SETTINGS: readonly Setting[] = SECTIONS.flatMap((section) => section.settings);

/** Splits before a capital that a small letter follows, so that `maxFileMiB` becomes `MAX_FILE_MIB`. */
function screamingSnake(camelCase: string): string {
  return camelCase.replace(/(?<=[a-z0-9])(?=[A-Z][a-z])/g, '_').toUpperCase();
}

function inWords(schema: KeySchema): string {
  if (schema.type === 'integer') return `whole number, ${schema.minimum} to ${schema.maximum}`;
  if (schema.type === 'boolean') return 'true or false';
  if (schema.type === 'array') return `list, each item: ${schema.items?.title ?? 'text'}`;
  if (schema.title !== undefined) return schema.title;
  if (schema.enum !== undefined) return `one of ${schema.enum.join(', ')}`;
  const atLeast = schema.minLength === undefined ? 'text' : 'text, not empty';
  return schema.maxLength === undefined ? atLeast : `${atLeast}, at most ${schema.maxLength} characters`;
}

/** Reads a value from the environment or a flag; what is not of the key's type stays text, for the schema to refuse. */
export function valueFromText(setting: Setting, text: string): unknown {
  switch (setting.type) {
    case 'integer':
      return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text;
    case 'array':
      return text.trim() === '' ? [] : text.split(',').map((item) => item.trim());
    case 'string':
      return text;
  }
}

/** Says that `name` is unknown, and which of `known` was meant if one is close to it. */
export function unknownKey(name: string, known: readonly string[]): string {
  const limit = Math.min(3, Math.max(1, Math.floor(name.length / 4)));
  const [best] = known
    .filter((candidate) => Math.abs(candidate.length - name.length) <= limit)
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance);
  return best === undefined ? 'unknown key' : `unknown key; did you mean ${best.candidate}?`;
}

/** Counts the letters to insert, delete, replace or swap with a neighbour (optimal string alignment). */
function editDistance(a: string, b: string): number {
  const table: number[][] = [];
  const at = (row: number, column: number): number => table[row]?.[column] ?? Infinity;
  for (let row = 0; row <= a.length; row++) {
    table[row] = row === 0 ? [0] : [];
    for (let column = row === 0 ? 1 : 0; column <= b.length; column++) {
      const replaced = at(row - 1, column - 1) + (a[row - 1] === b[column - 1] ? 0 : 1);
      const isSwap = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      const swapped = isSwap ? at(row - 2, column - 2) + 1 : Infinity;
      table[row]?.push(Math.min(replaced, swapped, at(row - 1, column) + 1, at(row, column - 1) + 1));
    }
  }
  return at(a.length, b.length);
}
