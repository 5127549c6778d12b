import { generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { isKeyswitchError } from '../../server/errors.ts';
import { artefactOf, checkSignature, isNewer, readManifest } from './manifest.ts';

const SHA512 = Buffer.alloc(64, 7).toString('base64');
const coded = (code: string) => expect.objectContaining({ code }) as unknown;

function thrownBy(work: () => unknown): unknown {
  try {
    return { gave: work() };
  } catch (error) {
    return error;
  }
}

describe('a signature', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const text = (raw: Buffer): Buffer => Buffer.from(raw.toString('base64'));

  test('is that of these very bytes by this very key, and nothing else is', () => {
    const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
    fc.assert(
      fc.property(bytes, fc.nat(), fc.integer({ min: 1, max: 255 }), (signed, where, flip) => {
        const signature = sign(null, signed, privateKey);
        expect(() => checkSignature(signed, text(signature), publicKey)).not.toThrow();
        const other = Buffer.from(signed);
        if (other.length > 0) {
          other[where % other.length]! ^= flip;
          expect(thrownBy(() => checkSignature(other, text(signature), publicKey))).toEqual(
            coded('update-unsigned'),
          );
        }
        signature[where % 64]! ^= flip;
        expect(thrownBy(() => checkSignature(signed, text(signature), publicKey))).toEqual(
          coded('update-unsigned'),
        );
      }),
    );
  });

  test('may be anything at all without more than being refused', () => {
    const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
    fc.assert(
      fc.property(bytes, (signature) => {
        expect(thrownBy(() => checkSignature(Buffer.from('x'), signature, publicKey))).toEqual(
          coded('update-unsigned'),
        );
      }),
    );
  });
});

describe('a manifest', () => {
  const file = { url: 'Keyswitch-1.2.3.AppImage', sha512: SHA512, size: 7 };

  test('as electron-builder writes it gives the file that is asked for', () => {
    const bytes = Buffer.from(
      stringify({
        version: '1.2.3',
        files: [
          { ...file, url: 'keyswitch_1.2.3_amd64.deb' },
          { ...file, blockMapSize: 4 },
        ],
        path: 'keyswitch_1.2.3_amd64.deb',
        sha512: SHA512,
        releaseDate: '2026-01-01T00:00:00.000Z',
      }),
    );
    const manifest = readManifest(bytes);
    expect(manifest.version).toBe('1.2.3');
    expect(artefactOf(manifest, file.url)).toEqual({ name: file.url, bytes: 7, sha512: SHA512 });
  });

  test.each([
    ['../Keyswitch-1.2.3.AppImage'],
    ['/tmp/Keyswitch-1.2.3.AppImage'],
    ['https://elsewhere.example/Keyswitch-1.2.3.AppImage'],
    ['Keyswitch-1.2.4.AppImage'],
    ['Keyswitch-1.2.3-arm64.AppImage'],
  ])('that names %s names nothing for this machine', (url) => {
    const manifest = readManifest(Buffer.from(stringify({ version: '1.2.3', files: [{ ...file, url }] })));
    expect(thrownBy(() => artefactOf(manifest, file.url))).toEqual(coded('update-invalid'));
  });

  test.each<[string, unknown]>([
    ['nothing', ''],
    ['no YAML', '{'],
    ['a list', []],
    ['no files', { version: '1.2.3' }],
    ['a version of other things', { version: '../1.2.3', files: [] }],
    ['a version before a release', { version: '1.2.3-rc.1', files: [] }],
    ['a number as version', { version: 1.2, files: [] }],
    ['no size', { version: '1.2.3', files: [{ url: 'a', sha512: SHA512 }] }],
    ['a size of nothing', { version: '1.2.3', files: [{ ...file, size: 0 }] }],
    ['a size beyond counting', { version: '1.2.3', files: [{ ...file, size: 1e300 }] }],
    ['another hash', { version: '1.2.3', files: [{ ...file, sha512: 'abc' }] }],
    ['more files than a release has', { version: '1.2.3', files: Array.from({ length: 101 }, () => file) }],
    ['aliases', `a: &a { url: a, sha512: ${SHA512}, size: 1 }\nversion: 1.2.3\nfiles: [*a]\n`],
    ['more than it says', 'a: &a [x, x]\nb: &b [*a, *a]\nversion: 1.2.3\nfiles: [*b, *b]\n'],
  ])('with %s is refused', (_what, content) => {
    const text = typeof content === 'string' ? content : stringify(content);
    expect(thrownBy(() => readManifest(Buffer.from(text)))).toEqual(coded('update-invalid'));
  });

  test('that is anything at all gives a manifest or is refused by its code', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 400 }).map((array) => Buffer.from(array)),
      fc.json().map((json) => Buffer.from(json)),
      fc
        .string({ unit: fc.constantFrom('&a', '*a', ':', '- ', '\n', '{', ']', '"', ' ', 'version', '<<') })
        .map(Buffer.from),
    );
    fc.assert(
      fc.property(bytes, (given) => {
        const outcome = thrownBy(() => readManifest(given));
        expect(isKeyswitchError(outcome, 'update-invalid') || Object.hasOwn(outcome as object, 'gave')).toBe(
          true,
        );
      }),
    );
  });
});

describe('a version', () => {
  test.each([
    ['1.0.1', '1.0.0', true],
    ['1.1.0', '1.0.9', true],
    ['2.0.0', '1.99.99', true],
    ['1.10.0', '1.9.0', true],
    ['1.0.0', '1.0.0', false],
    ['1.0.0', '1.0.0+build-7', false],
    ['0.9.9', '1.0.0', false],
    ['1.9.0', '1.10.0', false],
    ['1.0.0', '1.0.0-rc.1', true],
    ['1.0.0', '1.0.1-rc.1', false],
  ])('%s is newer than %s: %s', (version, own, expected) => {
    expect(isNewer(version, own)).toBe(expected);
  });

  test('is never newer than one that is newer than it, nor than itself', () => {
    const version = fc.tuple(fc.nat(30), fc.nat(30), fc.nat(30)).map((numbers) => numbers.join('.'));
    fc.assert(
      fc.property(version, version, (a, b) => {
        expect(isNewer(a, b) && isNewer(b, a)).toBe(false);
        expect(isNewer(a, b) || isNewer(b, a)).toBe(a !== b);
      }),
    );
  });
});
