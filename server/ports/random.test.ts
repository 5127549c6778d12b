import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFixedRandom, createSystemRandom, randomText, type Random } from './random.ts';

const SOURCES: [string, () => Random][] = [
  ["the operating system's", createSystemRandom],
  ['the fixed twin', () => createFixedRandom()],
];

describe.each(SOURCES)('%s', (_name, create) => {
  test('gives as many bytes as asked for', () => {
    const random = create();
    fc.assert(fc.property(fc.nat(200), (length) => random.bytes(length).length === length));
  });

  test('makes version 4 UUIDs in lower case, no two alike (RFC 9562, section 5.4)', () => {
    const random = create();
    const made = Array.from({ length: 200 }, () => random.uuid());
    expect(new Set(made).size).toBe(made.length);
    for (const uuid of made) {
      expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }
  });

  test('renders as text that a URL takes unchanged, and that gives the bytes back', () => {
    const random = create();
    fc.assert(
      fc.property(fc.nat(100), (length) => {
        const text = randomText(random, length);
        expect(encodeURIComponent(text)).toBe(text);
        expect(Buffer.from(text, 'base64url')).toHaveLength(length);
      }),
    );
  });
});

test('the fixed twin repeats itself for the same seed, and differs for another', () => {
  const play = (seed?: string): string[] => {
    const random = createFixedRandom(seed);
    return [random.bytes(40).toString('hex'), random.uuid(), randomText(random, 32)];
  };
  expect(play('a')).toEqual(play('a'));
  expect(play()).toEqual(play());
  expect(play('a')).not.toEqual(play('b'));
});

test('the system is not asked for the same bytes twice', () => {
  const random = createSystemRandom();
  expect(random.bytes(32).equals(random.bytes(32))).toBe(false);
});
