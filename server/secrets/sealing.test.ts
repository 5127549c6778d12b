import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createTestKeyStore } from '../../test/key-store.ts';
import type { KeyswitchError } from '../errors.ts';
import { parseEnvFile } from './env-file.ts';
import { openEnvText, openValue, SEALED_HEADER, sealEnvText, type KeyStore } from './sealing.ts';

const ANNA = createTestKeyStore();
const BEN = createTestKeyStore('test/ben@PANEL-3');
const TEXT = `# ours\r\n\r\n  SECRET_PWD_KEY = "signing key # 1"  # quoted\r\nJWT_VALID_ISSUER=us\nX=\n`;

function refusal(value: string, keyStore: KeyStore | null): KeyswitchError {
  try {
    openValue(value, keyStore);
  } catch (error) {
    return error as KeyswitchError;
  }
  throw new Error('nothing was refused');
}

describe('a sealed file', () => {
  test('says what it is at its top, and keeps keys, comments, blanks and line ends', () => {
    const sealed = sealEnvText(TEXT, ANNA);
    expect(sealed.startsWith(`${SEALED_HEADER}# ours\r\n`)).toBe(true);
    expect(sealed.replaceAll(/sealed:test\/anna@PANEL-3:[\w+/]+=*/g, '*')).toBe(
      `${SEALED_HEADER}# ours\r\n\r\n  SECRET_PWD_KEY = "*"  # quoted\r\nJWT_VALID_ISSUER=*\nX=\n`,
    );
    expect(openEnvText(sealed, ANNA)).toBe(TEXT);
  });

  test('is sealed once, and what is added in plain text is sealed beside it', () => {
    const sealed = sealEnvText(TEXT, ANNA);
    expect(sealEnvText(sealed, ANNA)).toBe(sealed);
    const again = sealEnvText(`${sealed}JWT_KEY=added\n`, ANNA);
    expect(again.startsWith(sealed)).toBe(true);
    expect(again).not.toContain('added');
    expect(openEnvText(again, ANNA)).toBe(`${TEXT}JWT_KEY=added\n`);
  });

  test('is not made by a key store that does not give back what it was given', () => {
    expect(() => sealEnvText(TEXT, { ...ANNA, open: () => 'something else' })).toThrow(/does not give back/);
  });

  test('with nothing to seal stays as it is', () => {
    expect(sealEnvText('# nothing\nX=\n', ANNA)).toBe('# nothing\nX=\n');
  });

  test('opens although somebody took the quotes away that its value needs', () => {
    const sealed = sealEnvText(`A="b # c"`, ANNA).replaceAll(/"(sealed[^"]*)"/g, '$1');
    expect(parseEnvFile(openEnvText(sealed, ANNA), '').values.get('A')?.value).toBe('b # c');
  });
});

describe('what cannot be opened', () => {
  const [sealed = ''] = /sealed:.*/.exec(sealEnvText('A=Xq7vLw0pZ3', ANNA).slice(SEALED_HEADER.length)) ?? [];

  test.each<[string, string, KeyStore | null]>([
    ['without a key store', sealed, null],
    ['by another account', sealed, BEN],
    ['when it was cut', sealed.slice(0, -6), ANNA],
  ])('%s says who has sealed it', (_title, value, keyStore) => {
    const { code, message } = refusal(value, keyStore);
    expect({ code, message }).toEqual({
      code: 'secrets-sealed',
      message: expect.stringContaining('sealed by test/anna@PANEL-3.') as unknown,
    });
  });

  test.each(['sealed:', 'sealed:::', 'sealed:Xq7vLw0pZ3', 'sealed:Xq7vLw0pZ3:', 'sealed:Xq7vLw0pZ3:YQ=='])(
    'is never taken for a plain secret, nor told: %s',
    (value) => {
      const { code, message } = refusal(value, BEN);
      expect(code).toBe('secrets-sealed');
      expect(message).not.toContain('Xq7');
    },
  );
});

test('any text survives sealing and opening, byte for byte', () => {
  const piece = fc.constantFrom(
    ...[
      'SECRET_PWD_KEY',
      'JWTKey',
      '=',
      '=',
      '"',
      "'",
      '#',
      ' ',
      '\n',
      '\n',
      '\r',
      '\t',
      '\u2028',
      'é',
      '\\',
    ],
  );
  const line = fc.tuple(
    ...[fc.constantFrom('', ' ', '\uFEFF'), fc.constantFrom('A', 'B_1'), fc.constantFrom('=', ' = ')],
    ...[fc.constantFrom('"', "'", ''), fc.string({ unit: 'grapheme' }), fc.constantFrom('"', "'", '')],
    ...[fc.constantFrom('', ' # c', '  ', '\r')],
  );
  const lines = fc.array(line.map((parts) => parts.join(''))).map((each) => each.join('\n'));
  const pieces = fc.array(piece, { maxLength: 40 }).map((each) => each.join(''));
  fc.assert(
    fc.property(fc.oneof(lines, pieces, fc.string({ unit: 'binary' })), (text) => {
      // A lone half of a surrogate pair is in no text that was read from a file.
      fc.pre(!text.includes('sealed:') && text.isWellFormed());
      const sealed = sealEnvText(text, ANNA);
      expect(openEnvText(sealed, ANNA)).toBe(text);
      const before = parseEnvFile(text, '').values;
      const after = parseEnvFile(sealed, '').values;
      expect([...after.keys()]).toEqual([...before.keys()]);
      for (const [key, { value }] of after) expect(openValue(value, ANNA)).toBe(before.get(key)?.value);
    }),
    { numRuns: 1000 },
  );
});
