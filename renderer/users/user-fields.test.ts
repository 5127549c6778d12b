import { expect, test } from 'vitest';
import { Problem } from '../shared/api.ts';
import {
  changedFields,
  changeOf,
  faultsFrom,
  faultsIn,
  fieldsOf,
  NO_FIELDS,
  type UserFields,
} from './user-fields.ts';
import { createUser } from './testing.ts';

const OLIVIA = fieldsOf(createUser('olivia', { displayName: 'Olivia', logoutTimeInMin: 10 }));

test.each<[string, Partial<UserFields>, string | null]>([
  ['a name', { name: 'olivia' }, null],
  ['a name of 64 characters', { name: 'o'.repeat(64) }, null],
  ['a name with a space inside and a letter of any script', { name: 'Ольга Ж' }, null],
  ['no name', { name: '' }, 'users.fault.nameMissing'],
  ['a name of 65 characters', { name: 'o'.repeat(65) }, 'users.fault.nameLong'],
  ['a name that begins with a space', { name: ' olivia' }, 'users.fault.nameSpace'],
  ['a name that ends with a space', { name: 'olivia ' }, 'users.fault.nameSpace'],
  ['a name with a tab', { name: 'oli\tvia' }, 'users.fault.nameCharacters'],
  ['a name with half an emoji', { name: 'olivia\ud83d' }, 'users.fault.nameCharacters'],
])('%s', (_, typed, fault) => {
  expect(faultsIn({ ...NO_FIELDS, ...typed }).name ?? null).toEqual(fault && { key: fault });
});

test.each([
  ['', true],
  ['1', true],
  [' 10 ', true],
  ['10080', true],
  ['0', false],
  ['10081', false],
  ['1.5', false],
  ['1e3', false],
  ['-5', false],
  ['ten', false],
])('a limit of "%s" is one: %s', (limit, good) => {
  expect('limit' in faultsIn({ ...OLIVIA, limit })).toBe(!good);
});

test('a display name has at most 128 characters', () => {
  expect(faultsIn({ ...OLIVIA, displayName: 'x'.repeat(128) })).toEqual({});
  expect(faultsIn({ ...OLIVIA, displayName: 'x'.repeat(129) })).toHaveProperty('displayName');
});

test('names what differs, and nothing that only looks different', () => {
  expect(changedFields(OLIVIA, { ...OLIVIA, displayName: 'Olivia ', limit: ' 10' })).toEqual([]);
  expect(changedFields(OLIVIA, { ...OLIVIA, enabled: false, displayName: 'O.' })).toEqual([
    'displayName',
    'enabled',
  ]);
});

test.each<[Partial<UserFields>, object]>([
  [{}, {}],
  [{ displayName: ' Liv ' }, { displayName: 'Liv' }],
  [{ limit: '' }, { logoutTimeInMin: null }],
  [{ limit: '25' }, { logoutTimeInMin: 25 }],
  [
    { type: 'Admin', enabled: false },
    { type: 'Admin', enabled: false },
  ],
])('asks for %j and nothing else', (typed, change) => {
  expect(changeOf(OLIVIA, { ...OLIVIA, ...typed })).toEqual(change);
});

test.each([
  ['already-exists', [], { name: { key: 'users.fault.taken', values: { name: 'olivia' } } }],
  ['invalid-input', ['enabled'], { enabled: { key: 'users.fault.lastAdministrator' } }],
  ['invalid-input', ['type'], { type: { key: 'users.fault.lastAdministrator' } }],
  ['invalid-input', ['logoutTimeInMin'], { limit: { text: 'no' } }],
  ['invalid-input', ['name', 'other'], { name: { text: 'no' } }],
  ['internal', ['name'], {}],
])('puts %s of %j where it belongs', (code, fields, faults) => {
  const view = { code, faults: fields.map((field) => ({ field, message: 'no' })) };
  expect(faultsFrom(new Problem(view), OLIVIA)).toEqual(faults);
});
