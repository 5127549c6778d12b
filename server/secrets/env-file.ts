/** Files of `KEY=VALUE` lines with `#` comments: parsed strictly, since a value read wrongly is a secret lost. */
import type { Fault } from '../errors.ts';

export interface EnvFile {
  /** By key; `place` is file and line. */
  readonly values: ReadonlyMap<string, { readonly value: string; readonly place: string }>;
  /** Named by file and line alone: even what stands where a key should be may be part of a secret. */
  readonly faults: readonly Fault[];
}

/**
 * Parses `text`; `fileName` is for naming places. Values may stand in single or double quotes, without escapes.
 * Never throws: lines that are none of empty, comment or assignment are faults, and so are keys that come twice.
 */
export function parseEnvFile(text: string, fileName: string): EnvFile {
  const values = new Map<string, { value: string; place: string }>();
  const faults: Fault[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    const place = `${fileName}:${index + 1}`;
    const [, key, written] = /^([A-Za-z_]\w*)\s*=\s*(.*)$/.exec(trimmed) ?? [];
    if (key === undefined || written === undefined) {
      faults.push({ field: place, message: 'expected KEY=VALUE or a comment' });
      continue;
    }
    const value = unquote(written);
    const former = values.get(key);
    if (value === undefined) {
      faults.push({ field: place, message: 'the quotes do not match, or a comment follows without quotes' });
    } else if (former !== undefined) {
      faults.push({ field: place, message: `sets the same key as ${former.place}` });
    } else {
      values.set(key, { value, place });
    }
  }
  return { values, faults };
}

/** Undefined where the quotes leave open what is meant. */
function unquote(written: string): string | undefined {
  const [, double, single] = /^(?:"([^"]*)"|'([^']*)')\s*(?:#.*)?$/.exec(written) ?? [];
  const quoted = double ?? single;
  if (quoted !== undefined) return quoted;
  // `a #b` is one value to some readers and `a` to others.
  return /^["']|\s#/.test(written) ? undefined : written;
}
