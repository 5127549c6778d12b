import fc from 'fast-check';
import { expect, test } from 'vitest';
import { settle, type Known } from './steady.ts';

const HOLD_MS = 5000;

/** Looks each second at what the rows say of some things: `x` is trouble, `.` is none, a blank is not there. */
function story(rows: Readonly<Record<string, string>>): string[] {
  let known: Known = new Map();
  const told: string[] = [];
  const seconds = Math.max(...Object.values(rows).map((row) => row.length));
  for (let second = 0; second < seconds; second += 1) {
    const present = Object.entries(rows)
      .map(([id, row]): [string, string] => [id, row[second] ?? ' '])
      .filter(([, mark]) => mark !== ' ')
      .map(([id, mark]): [string, boolean] => [id, mark === 'x']);
    const settled = settle(known, new Map(present), second * 1000, HOLD_MS);
    known = settled.known;
    if (settled.begun.length > 0) told.push(`${second} s: ${settled.begun.join('+')} begun`);
    if (settled.over.length > 0) told.push(`${second} s: ${settled.over.join('+')} over`);
  }
  return told;
}

test.each<[string, Record<string, string>, string[]]>([
  [
    'that lasts is told once, and its end once that has lasted',
    { a: '..xxxxxxxxxx......' },
    ['7 s: a begun', '17 s: a over'],
  ],
  ['shorter than five seconds is not told', { a: '.xxxxx.xxxxx.....' }, []],
  ['that comes back within five seconds has not been over', { a: 'xxxxxx....x.....x..' }, ['5 s: a begun']],
  ['from the first moment on counts as well', { a: 'xxxxxxx' }, ['5 s: a begun']],
  [
    'of several at nearly the same time is told as one',
    { a: '.xxxxxxx', b: '..xxxxxx', c: '...xxxxx' },
    ['6 s: a+b+c begun'],
  ],
  [
    'that began later is told later',
    { a: '.xxxxxxxxxx', b: '.....xxxxxx' },
    ['6 s: a begun', '10 s: b begun'],
  ],
  ['of what is taken away is forgotten', { a: '.xxxxxxx  ......', b: '................' }, ['6 s: a begun']],
  [
    'of one does not end with that of another',
    { a: 'xxxxxxxxxxxxx', b: 'xxxxxx.......' },
    ['5 s: a+b begun', '11 s: b over'],
  ],
])('trouble %s', (_title, rows, told) => {
  expect(story(rows)).toEqual(told);
});

test('beginning and end take turns, whatever happens', () => {
  const row = fc.array(fc.constantFrom('x', '.'), { maxLength: 60 }).map((marks) => marks.join(''));
  fc.assert(
    fc.property(row, row, (a, b) => {
      const told = story({ a, b: b || '.' }).filter((line) => /: a\b/.test(line));
      const turns = told.map((line) => line.split(' ').at(-1));
      expect(turns.every((turn, index) => turn === (index % 2 === 0 ? 'begun' : 'over'))).toBe(true);
    }),
  );
});
