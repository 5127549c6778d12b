/** Renders entries for other programs: CSV (RFC 4180) and JSON Lines, piece by piece, however many there are. */
import type { AuditFilter, AuditQuery, FoundEntry } from './query.ts';

export type ExportFormat = 'csv' | 'jsonl';

/** So many entries are in memory at a time. */
const PAGE = 200;

const COLUMNS = [
  'seq',
  'at',
  'action',
  'outcome',
  'actor',
  'subject',
  'app',
  'door',
  'address',
  'reason',
  'detail',
  'hash',
] as const satisfies readonly (keyof FoundEntry)[];

/** With these a cell of a spreadsheet is a formula, and runs (OWASP, CSV Injection); wide forms count as well. */
const FORMULA = /^\s*[=+\-@＝＋－＠]|^[\t\r\n]/u;

/**
 * Yields the text of all entries that `filter` lets through, newest first, up to entry `last`. Before each page
 * `mayGoOn` is asked; where it says no, the export breaks off by throwing.
 */
export async function* exportEntries(
  query: Pick<AuditQuery, 'page'>,
  filter: AuditFilter,
  { format, last, mayGoOn }: { format: ExportFormat; last: number; mayGoOn: () => boolean },
): AsyncGenerator<string, void, undefined> {
  if (format === 'csv') yield csvLine(COLUMNS);
  for (let before: number | null = last + 1; before !== null;) {
    if (!mayGoOn()) throw new Error('whoever asked for the export is not signed in any more');
    const page = await query.page(filter, { before, limit: PAGE });
    if (page.entries.length > 0) yield page.entries.map(format === 'csv' ? csvEntry : jsonEntry).join('');
    before = page.next;
  }
}

function jsonEntry(entry: FoundEntry): string {
  const members = COLUMNS.map((column) => [column, column === 'at' ? instant(entry) : entry[column]]);
  return `${JSON.stringify(Object.fromEntries(members))}\n`;
}

function csvEntry(entry: FoundEntry): string {
  return csvLine(
    COLUMNS.map((column) => {
      if (column === 'at') return instant(entry);
      if (column === 'detail') return JSON.stringify(entry.detail);
      return String(entry[column] ?? '');
    }),
  );
}

function instant({ at }: FoundEntry): string {
  return new Date(at).toISOString();
}

function csvLine(cells: readonly string[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

/** What a spreadsheet would run is shown as text, by an apostrophe before it; what has a separator is put in quotes. */
function csvCell(value: string): string {
  const text = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
