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
    if (isComment(line)) continue;
    const place = `${fileName}:${index + 1}`;
    const assignment = readAssignment(line);
    if (assignment === undefined) {
      faults.push({ field: place, message: 'expected KEY=VALUE or a comment' });
      continue;
    }
    const { key, value } = assignment;
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

/**
 * Puts other values into `text`, wherever `change` gives one; everything else stays as it is, byte for byte: comments,
 * blanks, line ends and, where the new value can stand in them, the quotes.
 */
export function replaceValues(
  text: string,
  change: (value: string, key: string) => string | undefined,
): string {
  const lines = text.split('\n').map((line) => {
    const assignment = isComment(line) ? undefined : readAssignment(line);
    if (assignment?.value === undefined) return line;
    const { key, value, written, start } = assignment;
    const other = change(value, key);
    if (other === undefined) return line;
    const quote = /^["']/.exec(written)?.[0] ?? '';
    const comment = quote === '' ? '' : written.slice(value.length + 2);
    const end = line.slice(start + written.length);
    return line.slice(0, start) + quoted(other, quote, comment) + end;
  });
  return lines.join('\n');
}

/** Writes an assignment that reads back as it is. */
export function assignment(key: string, value: string): string {
  return `${key}=${quoted(value, '', '')}`;
}

interface Assignment {
  readonly key: string;
  /** Undefined where the quotes leave open what is meant. */
  readonly value: string | undefined;
  /** What stands after the equals sign, to the end but for blanks, and where in the line it starts. */
  readonly written: string;
  readonly start: number;
}

function isComment(line: string): boolean {
  const trimmed = line.trim();
  return trimmed === '' || trimmed.startsWith('#');
}

function readAssignment(line: string): Assignment | undefined {
  const trimmed = line.trim();
  const [, key, written] = /^([A-Za-z_]\w*)\s*=\s*(.*)$/.exec(trimmed) ?? [];
  if (key === undefined || written === undefined) return undefined;
  const start = line.trimEnd().length - written.length;
  return { key, value: unquote(written), written, start };
}

function unquote(written: string): string | undefined {
  const [, double, single] = /^(?:"([^"]*)"|'([^']*)')\s*(?:#.*)?$/.exec(written) ?? [];
  const value = double ?? single;
  if (value !== undefined) return value;
  // `a #b` is one value to some readers and `a` to others.
  return /^["']|\s#/.test(written) ? undefined : written;
}

/** The value in quotes, `preferred` if they do; one that was read from such a file always can be written. */
function quoted(value: string, preferred: string, comment: string): string {
  const ways = [preferred, '', '"', "'"].map((quote) => `${quote}${value}${quote}${comment}`);
  const readable = [...ways, ...['"', "'"].map((quote) => `${quote}${value}${quote}`)].find(
    (written) => readAssignment(`K=${written}`)?.value === value,
  );
  if (readable === undefined) throw new Error('a value cannot be written');
  return readable;
}
