/** `keyswitch.yaml`: its text, and what it sets with the line of each key. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlias, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import type { Document, Node, Pair, YAMLMap } from 'yaml';
import { KeyswitchError, messageOf, type Fault } from '../errors.ts';
import { SECTIONS, unknownKey } from './settings.ts';

export const CONFIG_FILE = 'keyswitch.yaml';

/** One key that some source sets. */
export interface Entry {
  readonly value: unknown;
  /** Names the place of the value, or of an item of it, for a person: `keyswitch.yaml:12 http.port`. */
  place(item?: PropertyKey): string;
}

export interface ConfigFile {
  /** By path, such as `http.port`. */
  readonly entries: ReadonlyMap<string, Entry>;
  /** The place of a key the file does not set: that of its section where the file has one. */
  placeOfMissing(path: string): string | undefined;
  readonly faults: readonly Fault[];
}

/** Reads the text of the file, undefined where there is none; throws `config-invalid` when it cannot be read. */
export function readConfigText(dataFolder: string): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(join(dataFolder, CONFIG_FILE)));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return undefined;
    const message = error instanceof TypeError ? 'is not UTF-8' : `cannot be read: ${messageOf(error)}`;
    throw configInvalid([{ field: CONFIG_FILE, message }], error);
  }
}

/** Makes the error that tells all `faults`. */
export function configInvalid(faults: readonly Fault[], cause?: unknown): KeyswitchError {
  const lines = faults.map((fault) => `  ${fault.field}: ${fault.message}`);
  return new KeyswitchError('config-invalid', ['The configuration has faults.', ...lines].join('\n'), {
    faults,
    cause,
  });
}

/** Reads what `text` sets. Never throws: whatever is wrong is in `faults`. */
export function parseConfigFile(text: string): ConfigFile {
  const entries = new Map<string, Entry>();
  const sectionLines = new Map<string, string>();
  const faults: Fault[] = [];
  const lines = new LineCounter();
  const line = (offset: number): string => `${CONFIG_FILE}:${lines.linePos(offset).line}`;

  try {
    // Keys that come twice are found by us, who can name their path.
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
    // What follows a syntax error is read by guess: faults found in it would mislead.
    if (document.errors.length === 0) readRoot(document);
    for (const error of document.errors) faults.push({ field: line(error.pos[0]), message: error.message });
  } catch (error) {
    // Absurdly deep nesting exhausts the stack.
    faults.push({ field: CONFIG_FILE, message: `cannot be read: ${messageOf(error)}` });
  }
  return {
    entries,
    faults,
    placeOfMissing(path) {
      const place = sectionLines.get(path.split('.')[0] ?? '');
      return place === undefined ? undefined : `${place} ${path}`;
    },
  };

  function readRoot(root: Document.Parsed): void {
    if (isEmpty(root.contents)) return;
    if (!isMap(root.contents)) {
      faults.push({ field: line(root.contents?.range[0] ?? 0), message: 'expected sections such as http:' });
      return;
    }
    for (const [name, pair, place] of pairsOf(root.contents, '')) {
      const section = SECTIONS.find((candidate) => candidate.name === name);
      const value = isAlias(pair.value) ? pair.value.resolve(root) : pair.value;
      if (section === undefined) {
        const known = SECTIONS.map((candidate) => candidate.name);
        faults.push({ field: `${place} ${name}`, message: unknownKey(name, known) });
      } else if (isMap(value)) {
        sectionLines.set(name, place);
        readSection(root, name, value);
      } else if (!isEmpty(value)) {
        faults.push({ field: `${place} ${name}`, message: 'expected a section: keys, indented below it' });
      }
    }
  }

  function readSection(root: Document.Parsed, section: string, map: YAMLMap): void {
    const known = SECTIONS.find(({ name }) => name === section)?.settings.map(({ path }) => path) ?? [];
    for (const [key, pair, place] of pairsOf(map, `${section}.`)) {
      const path = `${section}.${key}`;
      if (!known.includes(path)) {
        faults.push({ field: `${place} ${path}`, message: unknownKey(path, known) });
        continue;
      }
      try {
        const value: unknown = isNode(pair.value) ? pair.value.toJS(root) : null;
        entries.set(path, { value, place: (item) => `${placeOfItem(pair.value, item) ?? place} ${path}` });
      } catch (error) {
        faults.push({ field: `${place} ${path}`, message: `cannot be read: ${messageOf(error)}` });
      }
    }
  }

  /** The pairs of `map` by name, once each: a name that comes again is a fault. */
  function pairsOf(map: YAMLMap, prefix: string): [name: string, pair: Pair, place: string][] {
    const firstPlaces = new Map<string, string>();
    return map.items.flatMap((pair): [string, Pair, string][] => {
      const key = pair.key as Node;
      const name = isScalar(key) ? String(key.value) : '(a key that is not text)';
      const place = line(key.range?.[0] ?? 0);
      const first = firstPlaces.get(name);
      if (first !== undefined) {
        faults.push({ field: `${place} ${prefix}${name}`, message: `set twice, first at ${first}` });
        return [];
      }
      firstPlaces.set(name, place);
      return [[name, pair, place]];
    });
  }

  function placeOfItem(value: unknown, item: PropertyKey | undefined): string | undefined {
    const node =
      item !== undefined && isNode(value) && 'getIn' in value ? value.getIn([item], true) : undefined;
    return isNode(node) && node.range ? line(node.range[0]) : undefined;
  }
}

/** A section all of whose keys are commented out reads as null, and means an empty one. */
function isEmpty(node: unknown): boolean {
  return node === null || node === undefined || (isScalar(node) && node.value === null);
}
