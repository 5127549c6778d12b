import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ERRORS_FILE, renderErrors, statusOf } from './errors-reference.ts';
import {
  ERROR_CATALOGUE,
  invalidInput,
  isKeyswitchError,
  KeyswitchError,
  messageOf,
  type ErrorCode,
} from './errors.ts';

const CODES = Object.keys(ERROR_CATALOGUE) as ErrorCode[];

describe('the catalogue', () => {
  test('is what docs/errors.md says: else run node server/errors-reference.ts', () => {
    expect(readFileSync(ERRORS_FILE, 'utf8')).toBe(renderErrors());
  });

  test.each(CODES)('says of %s in whole sentences what happened and what to do', (code) => {
    expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(ERROR_CATALOGUE[code]).toMatch(/^[A-Zk].*\.$/);
    expect(ERROR_CATALOGUE[code]).not.toMatch(/[|\n]/);
    expect(renderErrors()).toContain(`| \`${code}\` |`);
  });

  test('gives a status to what a request can end with, and to nothing else', () => {
    const statuses = CODES.map(statusOf).filter((status) => status !== null);
    expect(statuses.every((status) => status >= 400 && status < 600)).toBe(true);
    expect(statusOf('sign-in-refused')).toBe(401);
    expect(statusOf('internal')).toBe(500);
    expect(statusOf('store-corrupt')).toBeNull();
    expect(statusOf('plc-timeout')).toBe(504);
    expect(statusOf('plc-value-invalid')).toBeNull();
  });
});

describe('an error of ours', () => {
  test('has the text of the catalogue where it is given no other, and nothing that was not given', () => {
    const error = new KeyswitchError('busy');
    expect(error).toMatchObject({ code: 'busy', message: ERROR_CATALOGUE.busy, faults: [] });
    expect([error.retryAfterSec, error.ticket, error.cause]).toEqual([undefined, undefined, undefined]);
    expect('cause' in error).toBe(false);
  });

  test('keeps what it is given', () => {
    const cause = new Error('the disk is full');
    const details = {
      cause,
      faults: [{ field: 'name', message: 'is missing' }],
      retryAfterSec: 3,
      ticket: 't',
    };
    expect(new KeyswitchError('internal', 'No.', details)).toMatchObject({ message: 'No.', ...details });
  });

  test('is told from others, by its code where one is named', () => {
    const error = new KeyswitchError('busy');
    expect([isKeyswitchError(error), isKeyswitchError(error, 'busy')]).toEqual([true, true]);
    expect([isKeyswitchError(error, 'forbidden'), isKeyswitchError(new Error('busy'))]).toEqual([
      false,
      false,
    ]);
    expect(isKeyswitchError({ code: 'busy' })).toBe(false);
  });

  test('about an input names its field in the text and in the fault', () => {
    expect(invalidInput('http.port', 'must be a number')).toMatchObject({
      code: 'invalid-input',
      message: 'http.port: must be a number',
      faults: [{ field: 'http.port', message: 'must be a number' }],
    });
  });
});

test.each([
  [new Error('the disk is full'), 'the disk is full'],
  ['a text', 'a text'],
  [undefined, 'undefined'],
  [{ toString: (): string => 'an object' }, 'an object'],
])('the text of %s that was thrown is told', (thrown, expected) => {
  expect(messageOf(thrown)).toBe(expected);
});
