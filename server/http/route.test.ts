import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { KeyswitchError } from '../errors.ts';
import { newAppSchema, newLinkSchema, newUserSchema, signInSchema, userChangeSchema } from './contract.ts';
import { parse } from './route.ts';

function faultsOf(schema: z.ZodType, value: unknown): string[] {
  try {
    parse(schema, value, 'body');
  } catch (error) {
    const { code, faults, message } = error as KeyswitchError;
    const lines = faults.map((fault) => `${fault.field}: ${fault.message}`);
    expect(code).toBe('invalid-input');
    expect(message).toBe(lines.join('; '));
    return lines;
  }
  return [];
}

const ID = 'eb97a642-78f5-4458-b8ca-036fe70298ef';
const user = { name: 'olivia', password: 'p' };
const link = { connection: 'c', area: 'DB1', address: 'W0', appId: ID };

describe('a value that does not fit', () => {
  const scenarios: [title: string, schema: z.ZodType, value: unknown, faults: string[]][] = [
    ['no body at all', newUserSchema, undefined, ['body: is missing']],
    ['a list', newUserSchema, [], ['body: must be an object']],
    ['a text', newUserSchema, 'x', ['body: must be an object']],
    ['fields that are missing', signInSchema, {}, ['username: is missing', 'password: is missing']],
    ['null for a text', newUserSchema, { ...user, name: null }, ['name: must be text']],
    ['a number for a text', newUserSchema, { ...user, name: 5 }, ['name: must be text']],
    ['an empty text', newUserSchema, { ...user, name: '' }, ['name: must not be empty']],
    [
      'a text that is too long',
      newUserSchema,
      { ...user, name: 'x'.repeat(65) },
      ['name: must have at most 64 characters'],
    ],
    [
      'a control character',
      newUserSchema,
      { ...user, name: 'a\nb' },
      ['name: must not hold control characters'],
    ],
    [
      'a space at an end',
      newUserSchema,
      { ...user, name: ' a' },
      ['name: must not begin or end with a space'],
    ],
    ['half a character', newUserSchema, { ...user, name: 'a\ud800' }, ['name: must be valid Unicode']],
    [
      'half a character in a password',
      newUserSchema,
      { ...user, password: '\ud800' },
      ['password: must be valid Unicode'],
    ],
    [
      'a word that is none of the choices',
      newUserSchema,
      { ...user, type: 'Root' },
      ['type: must be one of Passive, Active, Admin'],
    ],
    [
      'a fraction',
      newUserSchema,
      { ...user, logoutTimeInMin: 1.5 },
      ['logoutTimeInMin: must be a whole number'],
    ],
    ['not a number', newUserSchema, { ...user, logoutTimeInMin: NaN }, ['logoutTimeInMin: must be a number']],
    [
      'a text for a number',
      newUserSchema,
      { ...user, logoutTimeInMin: '5' },
      ['logoutTimeInMin: must be a number'],
    ],
    [
      'a number that is too small',
      newUserSchema,
      { ...user, logoutTimeInMin: 0 },
      ['logoutTimeInMin: must be at least 1'],
    ],
    [
      'a number that is too large',
      newUserSchema,
      { ...user, logoutTimeInMin: 10_081 },
      ['logoutTimeInMin: must be at most 10080'],
    ],
    [
      'null where a number is wanted',
      newAppSchema,
      { name: 'HMI', logoutTimeInMin: null },
      ['logoutTimeInMin: must be a number'],
    ],
    ['a text for a truth', userChangeSchema, { enabled: 'yes' }, ['enabled: must be true or false']],
    [
      'what is no GUID',
      signInSchema,
      { username: 'o', password: 'p', appId: 'HMI' },
      [`appId: must be a GUID such as ${ID}`],
    ],
    [
      'a number that is larger than any',
      newLinkSchema,
      { ...link, defaultValue: 4294967296 },
      ['defaultValue: must be at most 4294967295'],
    ],
    ['a field nobody knows', newAppSchema, { name: 'HMI', colour: 1 }, ['colour: is not a known field']],
    [
      'several of them',
      newAppSchema,
      { name: 'HMI', a: 1, b: 1 },
      ['a: is not a known field', 'b: is not a known field'],
    ],
    [
      'the prototype',
      newAppSchema,
      JSON.parse('{"name":"HMI","__proto__":{"a":1}}'),
      ['__proto__: is not a known field'],
    ],
    [
      'a field within a field',
      z.object({ a: z.object({ b: z.string() }) }),
      { a: { b: 1 } },
      ['a.b: must be text'],
    ],
    ['an item of a list', z.object({ a: z.array(z.string()) }), { a: ['x', 1] }, ['a.1: must be text']],
    ['a text for a list', z.object({ a: z.array(z.string()) }), { a: 'x' }, ['a: must be a list']],
    ['a text for a number of any kind', z.object({ a: z.number() }), { a: 'x' }, ['a: must be a number']],
    [
      'what fits no branch',
      z.object({ a: z.union([z.string(), z.int()]) }),
      { a: true },
      ['a: is not valid'],
    ],
  ];
  test.each(scenarios)('is told plainly: %s', (_, schema, value, faults) => {
    expect(faultsOf(schema, value)).toEqual(faults);
  });

  test('names ten unknown fields at most, however many there are', () => {
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`f${at}`, 1]));
    const lines = faultsOf(newAppSchema, { name: 'HMI', ...many });
    expect(lines).toHaveLength(10);
  });
});

test('what fits passes with its defaults', () => {
  const defaults = { type: 'Active', logoutTimeInMin: null };
  expect(parse(newUserSchema, user, 'body')).toEqual({ ...user, ...defaults });
  // Without a password a user is given a one-time secret.
  expect(parse(newUserSchema, { name: 'olivia' }, 'body')).toEqual({ name: 'olivia', ...defaults });
});
