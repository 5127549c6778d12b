/** Holds `docs/conformance.md` against the tests: what it names must be there, and it must leave nothing out. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

/** What each section of the page must answer, as its tables name it in the first column. */
const ITEMS: Readonly<Record<string, string>> = {
  'OWASP ASVS 5.0.0':
    '6.1.1 6.1.3 6.2.1 6.2.3 6.2.4 6.2.5 6.2.7 6.2.8 6.2.9 6.2.10 6.2.12 6.3.1 6.3.2 6.3.3 6.3.4 6.3.5 6.3.8 6.4.1 ' +
    '6.4.6 6.5.1 6.5.6 6.8.1 7.1.2 7.2.1 7.2.4 7.3.1 7.3.2 7.4.1 7.4.2 7.4.3 7.4.5 7.5.3 8.1.2 8.2.1 8.2.2 8.2.3 ' +
    '8.3.1 8.3.2 9.1.1 9.1.2 9.1.3 9.2.1 9.2.2 9.2.3 4.1.4 4.4.1 4.4.2 4.4.3 4.4.4 13.2.1 13.3.1 13.4.2 13.4.5 ' +
    '16.2.1 16.2.2 16.2.5 16.3.1 16.3.2 16.4.1 16.4.2 16.4.3 16.5.2 16.5.3 12.1.1',
  'NIST SP 800-63B-4':
    'length longest characters composition periodic compromise blocklist reason paste show salt cost keyed failures',
  'IEC 62443-4-2':
    '1.1 1.2 1.3 1.4 1.5 1.7 1.8 1.9 1.10 1.11 1.12 2.1 2.5 2.6 2.7 2.8 2.9 2.10 2.11 2.12 3.1 3.4 3.5 3.8 3.9 6.1 ' +
    '6.2 emergency',
  '21 CFR Part 11': '11.10(d) 11.10(e) 11.10(g) 11.50 11.70 11.100 11.200 11.300',
  "Electron's security list": Array.from({ length: 20 }, (_, index) => index + 1).join(' '),
  Fuses:
    'runAsNode nodeOptions nodeCliInspect grantFileProtocolExtraPrivileges cookieEncryption ' +
    'embeddedAsarIntegrityValidation onlyLoadAppFromAsar',
  'Where known systems of this kind failed':
    'secret seeded Referer sockets pushed synchronous sign-out lockout caches hangs second-write done',
};

interface Row {
  readonly section: string;
  readonly items: readonly string[];
  readonly answer: string;
}

/** A test as the page names it: `file: title of the test`, the titles of its groups before it. */
interface Proof {
  readonly file: string;
  readonly titles: readonly string[];
}

const rows = rowsOf(readFileSync(join(ROOT, 'docs', 'conformance.md'), 'utf8'));

test.each(Object.entries(ITEMS))('%s is answered item by item, and nothing besides', (section, items) => {
  const answered = rows.filter((row) => row.section === section).flatMap((row) => row.items);
  expect(new Set(answered)).toEqual(new Set(items.split(' ')));
});

test('no table stands in a section of another name', () => {
  expect(new Set(rows.map(({ section }) => section))).toEqual(new Set(Object.keys(ITEMS)));
});

test.each(rows.map((row) => [row.section, row.items.join(', '), row] as const))(
  '%s, %s: has one answer, and what is met names tests that are there',
  (_section, _items, { answer }) => {
    expect(answer).toMatch(/^\*\*(met|met, no test|not yet|not ours)\*\*[:;] \S/);
    const proofs = proofsIn(answer);
    if (answer.startsWith('**met**')) expect(proofs).not.toEqual([]);
    expect(proofs.filter((proof) => !isThere(proof))).toEqual([]);
  },
);

describe('a proof', () => {
  // Every text in this file counts as a line of a table, but one that is put together.
  const file = 'test/conformance.test.ts';

  test.each([
    ['a test', { file, titles: ['no table stands in a section of another name'] }, true],
    ['a test in its group', { file, titles: ['a proof', 'by %s is found: %s'] }, true],
    ['a line of the table of a test', { file, titles: ['a proof', 'a line of the table of a test'] }, true],
    ['a title that is not there', { file, titles: ['a proof', `by ${'%s'} is not found`] }, false],
    ['a group alone', { file: 'server/users/users.test.ts', titles: ['adding a user'] }, false],
    [
      'a test of another group',
      { file: 'server/users/users.test.ts', titles: ['adding a user', 'keeps the change and announces it'] },
      false,
    ],
    ['a file that is not there', { file: 'test/nothing.test.ts', titles: ['a proof'] }, false],
  ] as [string, Proof, boolean][])('by %s is found: %s', (...[, proof, expected]) => {
    expect(isThere(proof)).toBe(expected);
  });
});

/** The rows of all tables, each below the heading it stands under. */
function rowsOf(page: string): Row[] {
  let section = '';
  return page.split('\n').flatMap((line) => {
    section = /^## (.+)$/.exec(line)?.[1] ?? section;
    const cells = line.split('|').map((cell) => cell.trim());
    const isRow = line.startsWith('| ') && !/^(item|---)$/.test(cells[1] ?? '');
    return isRow ? [{ section, items: cells[1]?.split(', ') ?? [], answer: cells.at(-2) ?? '' }] : [];
  });
}

function proofsIn(answer: string): Proof[] {
  return [...answer.matchAll(/`([^`:]+\.ts): ([^`]+)`/g)].map(([, file = '', path = '']) => ({
    file,
    titles: path.split(' > '),
  }));
}

function isThere({ file, titles }: Proof): boolean {
  const path = join(ROOT, file);
  if (!existsSync(path)) return false;
  const { tests, literals } = titlesIn(path);
  const isMeant = (found: readonly string[]): boolean => {
    if (found.length !== titles.length || !found.slice(0, -1).every((title, i) => title === titles[i]))
      return false;
    const [title = '', wanted = ''] = [found.at(-1), titles.at(-1)];
    // A title with a placeholder is that of a table, whose lines the page may name.
    return title === wanted || (/%|\$/.test(title) && literals.has(wanted));
  };
  return tests.some(isMeant);
}

interface Titles {
  /** For each test the titles of its groups and its own, as they are written. */
  readonly tests: readonly (readonly string[])[];
  /** Every text in the file but the titles: the lines of tables among them. */
  readonly literals: ReadonlySet<string>;
}

const known = new Map<string, Titles>();

function titlesIn(path: string): Titles {
  const titles = known.get(path) ?? readTitles(path);
  known.set(path, titles);
  return titles;
}

function readTitles(path: string): Titles {
  const tests: string[][] = [];
  const literals = new Set<string>();
  const visit = (node: ts.Node, groups: readonly string[]): void => {
    const title = ts.isCallExpression(node) && textOf(node.arguments[0]);
    const words = ts.isCallExpression(node) && typeof title === 'string' ? wordsOf(node.expression) : [];
    const isOff = words.includes('skip') || words.includes('todo');
    if (typeof title === 'string' && !isOff && (words[0] === 'test' || words[0] === 'it')) {
      tests.push([...groups, title]);
    }
    const within = typeof title === 'string' && words[0] === 'describe' ? [...groups, title] : groups;
    if (ts.isStringLiteralLike(node)) literals.add(node.text);
    const titleNode = words.length > 0 && ts.isCallExpression(node) ? node.arguments[0] : null;
    if (!isOff) ts.forEachChild(node, (child) => child !== titleNode && visit(child, within));
  };
  visit(ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true), []);
  return { tests, literals };
}

/** `test.each(table)` as `test`, `each`: whatever is called on the way. */
function wordsOf(callee: ts.Expression): string[] {
  if (ts.isIdentifier(callee)) return [callee.text];
  if (ts.isPropertyAccessExpression(callee)) return [...wordsOf(callee.expression), callee.name.text];
  if (ts.isCallExpression(callee)) return wordsOf(callee.expression);
  return [];
}

/** The text of a title, with `${…}` as it stands in the source. */
function textOf(node: ts.Expression | undefined): string | null {
  if (node === undefined) return null;
  if (ts.isStringLiteralLike(node)) return node.text;
  return ts.isTemplateExpression(node) ? node.getText().slice(1, -1) : null;
}
