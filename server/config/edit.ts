/** Changing one key of `keyswitch.yaml` without disturbing what a person wrote there. */
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { isMap, isNode, isScalar, isSeq, parseDocument, stringify } from 'yaml';
import type { Document, Node, YAMLMap } from 'yaml';
import { CONFIG_FILE, configInvalid, parseConfigFile, readConfigText } from './file.ts';
import { resolveConfig } from './load.ts';
import { replaceFile } from './replace-file.ts';
import type { Config } from './schema.ts';
import { SETTINGS, unknownKey, valueFromText, type Setting } from './settings.ts';

/**
 * Sets `path` (such as `http.port`) to what `valueText` says, a list parted by commas. Comments and order of the
 * file stay; it is made when absent. Throws `config-invalid` when the file as a whole would not be valid, and
 * `data-folder-unusable` when it cannot be written; the file is then as it was.
 */
export function setInConfigFile(dataFolder: string, path: string, valueText: string): void {
  const setting = SETTINGS.find((candidate) => candidate.path === path);
  if (setting === undefined) {
    const known = SETTINGS.map((candidate) => candidate.path);
    throw configInvalid([{ field: path, message: unknownKey(path, known) }]);
  }
  const value = valueFromText(setting, valueText);
  const before = readConfigText(dataFolder) ?? '';
  const wanted = resolveConfig(parseConfigFile(before), new Map([[path, { value, place: () => path }]]));

  // Anchors let one place stand for several, so a change may reach further than it should: each way is tried on paper.
  const after = [spliced, rewritten]
    .map((change) => change(before, setting, value))
    .find((text) => text !== undefined && isDeepStrictEqual(configOf(text), wanted));
  if (after === undefined) {
    const message = 'cannot be changed without changing more, as where an alias is used; edit the file';
    throw configInvalid([{ field: path, message }]);
  }
  replaceFile(join(dataFolder, CONFIG_FILE), after);
}

/** What a file with this text alone sets; undefined where it is not valid. */
function configOf(text: string): Config | undefined {
  try {
    return resolveConfig(parseConfigFile(text), new Map());
  } catch {
    return undefined;
  }
}

type Change = (text: string, setting: Setting, value: unknown) => string | undefined;

/** Changes the text where the value stands or has its place, and no other letter; not in every layout. */
const spliced: Change = (text, { section, key }, value) => {
  const document = parseDocument(text);
  const lineEnd = text.includes('\r\n') ? '\r\n' : '\n';
  const plain = stringify(value, { lineWidth: 0 }).trimEnd();
  const written = Array.isArray(value) || plain.includes('\n') ? JSON.stringify(value) : plain;

  const former = document.getIn([section, key], true);
  if (isNode(former)) {
    const [start = 0, end = 0] = former.range ?? [];
    // What goes over several lines may hold comments.
    if ((isSeq(former) && former.flow !== true) || text.slice(start, end).includes('\n')) return undefined;
    return text.slice(0, start) + written + text.slice(end);
  }
  const map = document.get(section, true);
  if (map === undefined) {
    const separator = text === '' || text.endsWith('\n') ? '' : lineEnd;
    return `${text}${separator}${section}:${lineEnd}  ${key}: ${written}${lineEnd}`;
  }
  const [first, last] = isMap<Node, Node>(map) ? [map.items[0]?.key, map.items.at(-1)?.value] : [];
  if (!first?.range || !last?.range) return undefined;
  const indent = text.slice(text.lastIndexOf('\n', first.range[0]) + 1, first.range[0]);
  // A block of lines ends after its last line end, any other value before it.
  const next = text.indexOf('\n', last.range[1] - 1) + 1;
  const [above, below] = next === 0 ? [text + lineEnd, ''] : [text.slice(0, next), text.slice(next)];
  return `${above}${indent}${key}: ${written}${lineEnd}${below}`;
};

/** Changes the parsed file and writes it anew: comments and order stay, blanks may change. */
const rewritten: Change = (text, { section, key }, value) => {
  const document = parseDocument(text);
  openSection(document, section);
  const former = document.getIn([section, key], true);
  if (isSeq(former) && Array.isArray(value)) {
    // Items that stay keep their comments.
    former.items = value.map(
      (item) =>
        former.items.find((node) => isScalar(node) && node.value === item) ?? document.createNode(item),
    );
  } else {
    document.setIn([section, key], Array.isArray(value) ? document.createNode(value) : value);
  }
  const written = document.toString({ lineWidth: 0 });
  return text.includes('\r\n') ? written.replaceAll('\n', '\r\n') : written;
};

/** Sees to it that `section` is there, with keys to come below it. */
function openSection(document: Document, section: string): void {
  if (!isMap(document.contents)) document.contents = emptyMap(document, document.contents);
  const node = document.get(section, true);
  if (!isMap(node)) document.set(section, emptyMap(document, node));
}

/** An empty map in the place of `former`: a null, perhaps with comments, such as keys that were commented out. */
function emptyMap(document: Document, former: unknown): YAMLMap {
  const map = document.createNode({}) as unknown as YAMLMap;
  if (isScalar(former)) map.commentBefore = [former.commentBefore, former.comment].filter(Boolean).join('\n');
  return map;
}
