import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exportEntries, type ExportFormat } from './export.ts';
import type { FoundEntry, FoundPage, PageRequest } from './query.ts';

const ENTRY: FoundEntry = {
  seq: 7,
  at: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
  action: 'sign-in',
  outcome: 'succeeded',
  actor: 'olivia',
  subject: 'olivia',
  app: null,
  door: 'api',
  address: '192.0.2.1',
  reason: 'password',
  detail: { session: 's' },
  hash: 'ab',
};

/** Answers one entry a page, whatever is asked for. */
function queryOf(entries: readonly FoundEntry[]): {
  page: (f: unknown, r: PageRequest) => Promise<FoundPage>;
} {
  return {
    page: async (_filter, { before }) => {
      const rest = entries.filter(({ seq }) => seq < (before ?? Infinity));
      const [first] = rest;
      const next = rest.length > 1 && first !== undefined ? first.seq : null;
      return { entries: rest.slice(0, 1), next, searchedBackTo: next };
    },
  };
}

async function textOf(format: ExportFormat, entries: readonly FoundEntry[], last = 100): Promise<string> {
  const pieces = exportEntries(queryOf(entries), {}, { format, last, mayGoOn: () => true });
  let text = '';
  for await (const piece of pieces) text += piece;
  return text;
}

/** The fields of each record, by the grammar of RFC 4180; throws where there is anything else. */
function parseCsv(text: string): string[][] {
  const records: string[][] = [];
  let rest = text;
  while (rest !== '') {
    const record: string[] = [];
    for (;;) {
      const [whole = '', quoted, plain = ''] =
        /^(?:"((?:[^"]|"")*)"|([^",\r\n]*))(?=,|\r\n)/.exec(rest) ?? [];
      if (!/^(,|\r\n)/.test(rest.slice(whole.length))) throw new Error(`no field: ${rest.slice(0, 40)}`);
      record.push(quoted?.replaceAll('""', '"') ?? plain);
      rest = rest.slice(whole.length);
      const isLast = rest.startsWith('\r\n');
      rest = rest.slice(isLast ? 2 : 1);
      if (isLast) break;
    }
    records.push(record);
  }
  return records;
}

test('CSV has a head, and a record for each entry', async () => {
  expect(
    await textOf('csv', [ENTRY, { ...ENTRY, seq: 6, action: 'sign-in-refused', outcome: 'refused' }]),
  ).toBe(
    'seq,at,action,outcome,actor,subject,app,door,address,reason,detail,hash\r\n' +
      '7,2026-01-02T03:04:05.006Z,sign-in,succeeded,olivia,olivia,,api,192.0.2.1,password,"{""session"":""s""}",ab\r\n' +
      '6,2026-01-02T03:04:05.006Z,sign-in-refused,refused,olivia,olivia,,api,192.0.2.1,password,"{""session"":""s""}",ab\r\n',
  );
});

test('JSON Lines have an object for each entry', async () => {
  const lines = (await textOf('jsonl', [ENTRY, { ...ENTRY, seq: 6 }])).split('\n');
  expect(lines.map((line) => line && (JSON.parse(line) as unknown))).toEqual([
    { ...ENTRY, at: '2026-01-02T03:04:05.006Z' },
    { ...ENTRY, seq: 6, at: '2026-01-02T03:04:05.006Z' },
    '',
  ]);
});

test('nothing that was found is an empty file, with its head in CSV', async () => {
  expect(parseCsv(await textOf('csv', []))).toHaveLength(1);
  expect(await textOf('jsonl', [])).toBe('');
});

describe('a cell that a spreadsheet would run', () => {
  test.each([
    ['=1+1', "'=1+1"],
    ['+1', "'+1"],
    ['-1', "'-1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t=1', "'\t=1"],
    [' =1', "' =1"],
    ['\r=1', "'\r=1"],
    ['\n=1', "'\n=1"],
    ['＝1', "'＝1"],
    ['=HYPERLINK("http://x";"y")', `'=HYPERLINK("http://x";"y")`],
    ['1-1', '1-1'],
    ['a=b', 'a=b'],
    ["'", "'"],
  ])('%j is text: %j', async (reason, expected) => {
    expect(parseCsv(await textOf('csv', [{ ...ENTRY, reason }]))[1]?.[9]).toBe(expected);
  });
});

test('whatever stands in an entry, a strict reader finds it in its own field', async () => {
  const text = fc.string({
    unit: fc.constantFrom('"', ',', '\r', '\n', '=', "'", ' ', 'ü', ';', 'x'),
    maxLength: 12,
  });
  await fc.assert(
    fc.asyncProperty(text, text, text, async (actor, subject, reason) => {
      const entry = { ...ENTRY, actor, subject, reason, detail: { reason } };
      const record = parseCsv(await textOf('csv', [entry]))[1] ?? [];
      expect(record).toHaveLength(12);
      const plain = (field: string | undefined, original: string): boolean =>
        field === original || field === `'${original}`;
      expect([plain(record[4], actor), plain(record[5], subject), plain(record[9], reason)]).toEqual([
        true,
        true,
        true,
      ]);
      expect(JSON.parse(record[10] ?? '')).toEqual({ reason });
    }),
  );
});

test('what came after the export was asked for is not in it', async () => {
  const entries = [9, 8, 7].map((seq) => ({ ...ENTRY, seq }));
  expect(parseCsv(await textOf('csv', entries, 8)).map(([seq]) => seq)).toEqual(['seq', '8', '7']);
});

test('an export breaks off when it may not go on', async () => {
  let pages = 0;
  const pieces = exportEntries(
    queryOf([9, 8, 7].map((seq) => ({ ...ENTRY, seq }))),
    {},
    { format: 'jsonl', last: 9, mayGoOn: () => ++pages <= 2 },
  );
  expect((await pieces.next()).done).toBe(false);
  expect((await pieces.next()).done).toBe(false);
  await expect(pieces.next()).rejects.toThrow('not signed in');
});
