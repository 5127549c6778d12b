import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeCode } from '../../server/emergency/code.ts';
import { createFixedRandom } from '../../server/ports/random.ts';
import { missingCharacters, spell } from './code.ts';

test.each([
  ['', ''],
  ['7', '7'],
  ['7k3qx', '7K3QX'],
  ['7k3qx0', '7K3QX-0'],
  ['7k3qx-09mzb-', '7K3QX-09MZB'],
  ['  7k3qx 09mzb\n', '7K3QX-09MZB'],
  ['7K3QX–09MZB', '7K3QX-09MZB'],
  ['oil', '011'],
  ['ä7!', '7'],
])('%j is spelt %j', (typed, spelt) => {
  expect(spell(typed)).toBe(spelt);
});

test('spells what it has spelt the same way', () => {
  fc.assert(fc.property(fc.string(), (typed) => spell(spell(typed)) === spell(typed)));
});

test('a code of the host is complete, and spelt as the host spells it', () => {
  const random = createFixedRandom();
  for (let round = 0; round < 20; round += 1) {
    const code = makeCode(random);
    expect([spell(code.toLowerCase().replaceAll('-', '')), missingCharacters(code)]).toEqual([code, 0]);
  }
});

test('tells what is missing and what is too much', () => {
  expect(missingCharacters('7K3QX-09')).toBe(18);
  expect(missingCharacters('7'.repeat(27))).toBe(-2);
});
