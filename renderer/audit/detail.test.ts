import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readDetail } from './detail.ts';

test.each([
  ['nothing', {}, [], []],
  [
    'a change, field by field',
    { before: { enabled: true, type: 'Active' }, after: { enabled: false, type: 'Admin' } },
    [
      { field: 'enabled', before: [true], after: [false] },
      { field: 'type', before: ['Active'], after: ['Admin'] },
    ],
    [],
  ],
  [
    'a change of the one value there is',
    { before: null, after: '9' },
    [{ field: '', before: [null], after: ['9'] }],
    [],
  ],
  [
    'what is new where there was nothing at all',
    { before: null, after: { a: 1, b: null } },
    [{ field: 'a', before: [null], after: [1] }],
    [],
  ],
  [
    'what is new beside what is gone',
    { before: { a: 1 }, after: { b: 2 }, why: 'so' },
    [
      { field: 'a', before: [1], after: [null] },
      { field: 'b', before: [null], after: [2] },
    ],
    [{ field: 'why', values: ['so'] }],
  ],
  [
    'what lies deeper, by its path',
    { a: { b: { c: 1 }, d: ['x', 'y'] }, e: [{ f: 2 }] },
    [],
    [
      { field: 'a.b.c', values: [1] },
      { field: 'a.d', values: ['x', 'y'] },
      { field: 'e.0.f', values: [2] },
    ],
  ],
  ['a before without an after as any other value', { before: 1 }, [], [{ field: 'before', values: [1] }]],
])('reads %s', (_, detail, changes, known) => {
  expect(readDetail(detail)).toEqual({ changes, known });
});

test('hides no value that says something', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (detail) => {
      const { changes, known } = readDetail(detail);
      const shown = [
        ...changes.flatMap(({ before, after }) => [...before, ...after]),
        ...known.flatMap(({ values }) => values),
      ];
      for (const value of valuesIn(detail)) expect(shown).toContain(value);
    }),
  );
});

function valuesIn(value: unknown): unknown[] {
  if (value === null) return [];
  return typeof value === 'object' ? Object.values(value).flatMap(valuesIn) : [value];
}
