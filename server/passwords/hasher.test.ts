import argon2 from 'argon2';
import { describe, expect, test } from 'vitest';
import { createHasher, type HasherOptions } from './hasher.ts';

const OPTIONS: HasherOptions = {
  memoryKib: 64,
  iterations: 1,
  parallelism: 1,
  maxConcurrent: 2,
  maxWaiting: 3,
  pepper: Buffer.from('the pepper of the tests'),
};

const hasherWith = (options: Partial<HasherOptions> = {}) => createHasher({ ...OPTIONS, ...options });

describe('a hash', () => {
  test('is an Argon2id PHC string with the parameters in force, a salt of 16 bytes and 32 bytes of digest', async () => {
    const hash = await hasherWith({ memoryKib: 128, iterations: 3, parallelism: 2 }).hash('a password');
    const [, algorithm, version, parameters, salt = '', digest = ''] = hash.split('$');
    expect({ algorithm, version }).toEqual({ algorithm: 'argon2id', version: 'v=19' });
    expect(Object.fromEntries((parameters ?? '').split(',').map((pair) => pair.split('=')))).toEqual({
      m: '128',
      t: '3',
      p: '2',
    });
    expect(Buffer.from(salt, 'base64')).toHaveLength(16);
    expect(Buffer.from(digest, 'base64')).toHaveLength(32);
  });

  test('of the same password is another each time, and both verify', async () => {
    const hasher = hasherWith();
    const hashes = [await hasher.hash('a password'), await hasher.hash('a password')];
    expect(hashes[0]).not.toBe(hashes[1]);
    for (const hash of hashes) expect(await hasher.verify(hash, 'a password')).toBe(true);
  });

  test('is worth nothing without the pepper it was made with', async () => {
    const hash = await hasherWith().hash('a password');
    expect(await hasherWith({ pepper: Buffer.from('another pepper') }).verify(hash, 'a password')).toBe(
      false,
    );
    expect(await hasherWith({ pepper: Buffer.alloc(0) }).verify(hash, 'a password')).toBe(false);
    expect(await argon2.verify(hash, 'a password')).toBe(false);
    expect(await argon2.verify(hash, 'a password', { secret: OPTIONS.pepper })).toBe(true);
  });

  test('made with other parameters still verifies', async () => {
    const hash = await hasherWith({ memoryKib: 256, iterations: 2 }).hash('a password');
    expect(await hasherWith().verify(hash, 'a password')).toBe(true);
    expect(await hasherWith().verify(hash, 'another password')).toBe(false);
  });

  test.each([
    ['the same parameters', {}, false],
    ['another memory', { memoryKib: 128 }, true],
    ['another number of passes', { iterations: 2 }, true],
    ['another number of lanes', { parallelism: 2 }, true],
    ['another bound on the queue', { maxConcurrent: 1, maxWaiting: 0 }, false],
  ])('made with %s: outdated is %s', async (_name, former, expected) => {
    const hash = await hasherWith(former).hash('a password');
    expect(hasherWith().isOutdated(hash)).toBe(expected);
  });
});

describe('a password', () => {
  const CASES: [string, string, string, boolean][] = [
    ['itself', 'a password', 'a password', true],
    ['in another case', 'a password', 'A password', false],
    ['with a space more at the end', 'a password', 'a password ', false],
    ['with spaces around it', '  a  password  ', '  a  password  ', true],
    ['without the spaces around it', '  a  password  ', 'a  password', false],
    ['of a thousand characters', 'x'.repeat(1000), 'x'.repeat(1000), true],
    ['that differs in its thousandth character', `${'x'.repeat(999)}a`, `${'x'.repeat(999)}b`, false],
    ['that differs behind the 72nd byte', `${'x'.repeat(72)}a`, `${'x'.repeat(72)}b`, false],
    ['of emoji', '🔑🏭🔑 família 👩‍🔧', '🔑🏭🔑 família 👩‍🔧', true],
    ['with another emoji', '🔑🏭🔑', '🔑🏭🗝', false],
    ['with a zero character in it', 'a\u0000b', 'a\u0000b', true],
    ['that differs behind a zero character', 'a\u0000b', 'a\u0000c', false],
    ['set composed and typed decomposed', 'caf\u00e9', 'cafe\u0301', true],
    ['set decomposed and typed composed', 'A\u030angstro\u0308m', '\u00c5ngstr\u00f6m', true],
    ['with a look-alike of another meaning', 'x\u00b2', 'x2', false],
  ];

  test.each(CASES)('%s', async (_name, password, typed, expected) => {
    const hasher = hasherWith();
    expect(await hasher.verify(await hasher.hash(password), typed)).toBe(expected);
  });
});

describe('more work than can be done at once', () => {
  test('waits, and is refused with a time to come back when the queue is full', async () => {
    const hasher = hasherWith({ maxConcurrent: 2, maxWaiting: 3 });
    const outcomes = await Promise.allSettled(Array.from({ length: 9 }, () => hasher.hash('a password')));
    expect(outcomes.map(({ status }) => status)).toEqual([
      ...Array.from({ length: 5 }, () => 'fulfilled'),
      ...Array.from({ length: 4 }, () => 'rejected'),
    ]);
    for (const outcome of outcomes.slice(5)) {
      expect(outcome).toMatchObject({ reason: { code: 'busy', retryAfterSec: 1 } });
    }
  });

  test('is refused at once, so that nothing piles up behind the queue', async () => {
    const hasher = hasherWith({ maxConcurrent: 1, maxWaiting: 1 });
    const order: string[] = [];
    const first = hasher.hash('a password').then(() => order.push('first'));
    const second = hasher.hash('a password').then(() => order.push('second'));
    const refused = Array.from({ length: 1000 }, () =>
      hasher.hash('a password').catch(() => order.push('refused')),
    );
    await Promise.all([first, second, ...refused]);
    expect(order.slice(0, 1000)).toEqual(Array.from({ length: 1000 }, () => 'refused'));
    expect(order.slice(1000)).toEqual(['first', 'second']);
  });

  test('is told a longer time, the longer the queue', async () => {
    const hasher = hasherWith({ maxConcurrent: 1, maxWaiting: 100 });
    const outcomes = await Promise.allSettled(Array.from({ length: 102 }, () => hasher.hash('a password')));
    expect(outcomes.at(-1)).toMatchObject({ reason: { code: 'busy', retryAfterSec: 5 } });
  });

  test('is taken in again when there is room, also after work that failed', async () => {
    const hasher = hasherWith({ maxConcurrent: 1, maxWaiting: 1 });
    const burst = () => Promise.allSettled([1, 2, 3].map(() => hasher.verify('no PHC string', 'a password')));
    for (let round = 0; round < 3; round += 1) {
      const outcomes = await burst();
      expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
      expect(outcomes[0]).not.toMatchObject({ reason: { code: 'busy' } });
      expect(outcomes[2]).toMatchObject({ reason: { code: 'busy' } });
    }
    await hasher.hash('a password');
  });
});
