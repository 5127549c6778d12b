/** Loading the configuration: flags before environment before `keyswitch.yaml` before defaults, all faults at once. */
import { resolve } from 'node:path';
import type { Fault } from '../errors.ts';
import { configInvalid, parseConfigFile, readConfigText, type ConfigFile, type Entry } from './file.ts';
import { configSchema, type Config } from './schema.ts';
import { SETTINGS, unknownKey, valueFromText } from './settings.ts';

export interface ConfigSources {
  /** Absolute path of the folder that holds `keyswitch.yaml`; the file may be missing. */
  readonly dataFolder: string;
  /** The process environment; of it only `KEYSWITCH_*` counts. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Path to text, as given on the command line: `{ 'http.port': '0' }`. */
  readonly flags: Readonly<Record<string, string>>;
}

/**
 * Loads the configuration, complete and deeply frozen. Throws `config-invalid` with every fault: its field is
 * `keyswitch.yaml:12 http.port`, `KEYSWITCH_HTTP_PORT` or `--http.port`, after where the value came from.
 */
export function loadConfig({ dataFolder, env, flags }: ConfigSources): Config {
  const file = parseConfigFile(readConfigText(dataFolder) ?? '');
  const fromEnv = environmentEntries(env);
  const fromFlags = flagEntries(flags);
  const { http, ...others } = resolveConfig(
    { ...file, faults: [...file.faults, ...fromEnv.faults, ...fromFlags.faults] },
    new Map([...fromEnv.entries, ...fromFlags.entries]),
  );
  const { certificate, certificateKey } = http;
  return deepFreeze({
    ...others,
    http: {
      ...http,
      ...(certificate === undefined ? {} : { certificate: resolve(dataFolder, certificate) }),
      ...(certificateKey === undefined ? {} : { certificateKey: resolve(dataFolder, certificateKey) }),
    },
  });
}

/** Checks what `file` sets, `overrides` (by path) going before it; throws `config-invalid` with every fault. */
export function resolveConfig(file: ConfigFile, overrides: ReadonlyMap<string, Entry>): Config {
  const entries = new Map([...file.entries, ...overrides]);
  const tree: Record<string, Record<string, unknown>> = {};
  for (const [path, { value }] of entries) {
    const [section = '', key = ''] = path.split('.');
    (tree[section] ??= {})[key] = value;
  }
  const parsed = configSchema.safeParse(tree);
  const faults = (parsed.error?.issues ?? []).map((issue): Fault => {
    const [section, key, item] = issue.path;
    const path = `${String(section)}.${String(key)}`;
    const value = entries.get(path)?.value;
    const given = Array.isArray(value) && item !== undefined ? (value[Number(item)] as unknown) : value;
    const range = SETTINGS.find((setting) => setting.path === path)?.range ?? issue.message;
    // What one key demands of another, the schema has put into words.
    const expected = issue.code === 'custom' && item === undefined ? issue.message : range;
    return {
      field: entries.get(path)?.place(item) ?? file.placeOfMissing(path) ?? path,
      message: `expected ${expected}; given ${inWords(given)}`,
    };
  });
  // A number beyond what a double holds exactly is refused twice, for that and for its limit.
  const all = new Map(
    [...file.faults, ...faults].map((fault) => [`${fault.field}: ${fault.message}`, fault]),
  );
  if (parsed.data === undefined || all.size > 0) throw configInvalid([...all.values()]);
  return parsed.data;
}

/** Names a value for a person, shortened: a slip may have put a whole file there. */
function inWords(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (typeof value === 'string') return JSON.stringify(value.replace(/(?<=^.{60}).+$/s, '...'));
  if (typeof value === 'object') return Array.isArray(value) ? 'a list' : 'a section';
  return String(value);
}

interface Read {
  readonly entries: ReadonlyMap<string, Entry>;
  readonly faults: readonly Fault[];
}

function environmentEntries(env: ConfigSources['env']): Read {
  // KEYSWITCH_DATA is the data folder itself, and KEYSWITCH_SECRET_* is none of the configuration's business.
  const texts = Object.entries(env).filter(
    ([name]) =>
      name.startsWith('KEYSWITCH_') && name !== 'KEYSWITCH_DATA' && !name.startsWith('KEYSWITCH_SECRET_'),
  );
  return readTexts(texts, 'environmentName', '');
}

function flagEntries(flags: ConfigSources['flags']): Read {
  return readTexts(Object.entries(flags), 'path', '--');
}

/** Reads name-text pairs whose names are those that settings have in the place `naming`. */
function readTexts(
  texts: readonly (readonly [string, string | undefined])[],
  naming: 'environmentName' | 'path',
  prefix: string,
): Read {
  const entries = new Map<string, Entry>();
  const faults: Fault[] = [];
  for (const [name, text] of texts) {
    if (text === undefined) continue;
    const place = prefix + name;
    const setting = SETTINGS.find((candidate) => candidate[naming] === name);
    if (setting === undefined) {
      const known = SETTINGS.map((candidate) => candidate[naming]);
      faults.push({ field: place, message: unknownKey(name, known) });
    } else {
      entries.set(setting.path, { value: valueFromText(setting, text), place: () => place });
    }
  }
  return { entries, faults };
}

function deepFreeze<Value extends object>(value: Value): Value {
  for (const inner of Object.values(value) as unknown[]) {
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner);
  }
  return Object.freeze(value);
}
