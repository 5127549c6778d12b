import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { KeyswitchError } from '../errors.ts';
import { type Fault } from '../errors.ts';
import { createMemoryLog, type MemoryLog } from '../ports/log.ts';
import { createFixedRandom } from '../ports/random.ts';
import { loadSecrets, type Secrets } from './secrets.ts';

const SIGNING = 'signing-key-of-a-site';
const HASHING = 'hashing-key-of-a-site';
const COMPLETE = `SECRET_PWD_KEY=${SIGNING}\nPASSWORD_HASHING_KEY=${HASHING}\nJWT_VALID_ISSUER=us\nJWT_VALID_AUDIENCE=you\n`;

let dataFolder: string;
let file: string;
let log: MemoryLog;
beforeEach(() => {
  dataFolder = mkdtempSync(join(tmpdir(), 'keyswitch-secrets-'));
  file = join(dataFolder, 'keyswitch.env');
  log = createMemoryLog();
});
afterEach(() => rmSync(dataFolder, { recursive: true }));

function load(text?: string | Uint8Array, env: Record<string, string> = {}, seed = 'keyswitch'): Secrets {
  if (text !== undefined) {
    writeFileSync(file, text);
    chmodSync(file, 0o600);
  }
  return loadSecrets({ dataFolder, env, random: createFixedRandom(seed), log });
}

function faultsOf(text: string | Uint8Array, env: Record<string, string> = {}): readonly Fault[] {
  try {
    load(text, env);
  } catch (error) {
    expect(error).toMatchObject({ name: 'KeyswitchError', code: 'secrets-invalid' });
    return (error as KeyswitchError).faults;
  }
  throw new Error('nothing was refused');
}

describe('the first start', () => {
  test('makes two different keys of 32 bytes, and one name for issuer and audience', () => {
    const secrets = load();
    const keys = [secrets.secretPwdKey, secrets.passwordHashingKey].map(String);
    expect(keys.map((key) => Buffer.from(key, 'base64url').length)).toEqual([32, 32]);
    expect(keys[0]).not.toBe(keys[1]);
    expect(secrets.jwtIssuer).toMatch(/^keyswitch:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(secrets.jwtAudience).toBe(secrets.jwtIssuer);
  });

  test('keeps them in a file that only its owner may read', () => {
    const secrets = load();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(load(undefined, {}, 'another seed')).toEqual(secrets);
  });

  test('differs from installation to installation', () => {
    const secrets = load();
    rmSync(file);
    expect(load(undefined, {}, 'another seed')).not.toEqual(secrets);
  });

  test('writes nothing where the environment has it all', () => {
    const env = {
      SECRET_PWD_KEY: SIGNING,
      PASSWORD_HASHING_KEY: HASHING,
      JWT_VALID_ISSUER: 'us',
      JWT_VALID_AUDIENCE: 'you',
    };
    load(undefined, env);
    expect(existsSync(file)).toBe(false);
  });

  test('does not write through a link left in place of the file', () => {
    symlinkSync(join(dataFolder, 'elsewhere'), file);
    expect(() => load()).toThrow(expect.objectContaining({ code: 'data-folder-unusable' }));
    expect(existsSync(join(dataFolder, 'elsewhere'))).toBe(false);
  });

  test('tells a folder that cannot be written', () => {
    const missing = join(dataFolder, 'missing');
    expect(() => loadSecrets({ dataFolder: missing, env: {}, random: createFixedRandom(), log })).toThrow(
      expect.objectContaining({ code: 'data-folder-unusable' }),
    );
  });
});

describe('an existing file', () => {
  test('is read with comments, blanks, quotes, a byte order mark and Windows line ends', () => {
    const secrets = load(
      `\uFEFF# ours\r\n\r\n  SECRET_PWD_KEY = "${SIGNING} # 1"  # quoted\r\nPASSWORD_HASHING_KEY='${HASHING}"'\r\n` +
        'JWT_VALID_ISSUER=http://desk:5001/#a=b\r\nJWT_VALID_AUDIENCE="you"\r\n',
    );
    expect(secrets).toEqual({
      secretPwdKey: Buffer.from(`${SIGNING} # 1`),
      passwordHashingKey: Buffer.from(`${HASHING}"`),
      jwtIssuer: 'http://desk:5001/#a=b',
      jwtAudience: 'you',
      jwtKey: null,
    });
  });

  test.each(['', '\n'])('is given the missing keys at its end, after %j, and keeps the rest', (end) => {
    const before = `# from the old host\nPASSWORD_HASHING_KEY=${HASHING}`;
    const secrets = load(before + end);
    const after = readFileSync(file, 'utf8');
    expect(after.startsWith(`${before}\nSECRET_PWD_KEY=`)).toBe(true);
    expect(
      after
        .split('\n')
        .slice(2)
        .map((line) => line.split('=')[0]),
    ).toEqual(['SECRET_PWD_KEY', 'JWT_VALID_ISSUER', 'JWT_VALID_AUDIENCE', '']);
    expect(secrets.passwordHashingKey).toEqual(Buffer.from(HASHING));
    expect(load(undefined, {}, 'another seed')).toEqual(secrets);
  });

  test('is left alone when complete', () => {
    load(COMPLETE);
    expect(readFileSync(file, 'utf8')).toBe(COMPLETE);
    expect(log.lines).toEqual([]);
  });

  test('may use the names of Jube', () => {
    const text = `SECRET_PWD_KEY=${SIGNING}\nPasswordHashingKey=${HASHING}\nJWTValidIssuer=us\nJWTValidAudience=you\n`;
    expect(load(text)).toMatchObject({
      jwtIssuer: 'us',
      jwtAudience: 'you',
      passwordHashingKey: Buffer.from(HASHING),
    });
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  test('may hold the key that is shared with other programs, by either name; none is ever made', () => {
    const key = 'a key that another program has too!';
    expect(load().jwtKey).toBeNull();
    expect(readFileSync(file, 'utf8')).not.toMatch(/JWT_?KEY/i);
    expect(load(`${COMPLETE}JWT_KEY=${key}\n`).jwtKey).toEqual(Buffer.from(key));
    expect(load(`${COMPLETE}JWTKey=${key}\n`).jwtKey).toEqual(Buffer.from(key));
    expect(load(COMPLETE, { JWTKey: key }).jwtKey).toEqual(Buffer.from(key));
    expect(faultsOf(`${COMPLETE}JWTKey=${key.slice(0, 31)}\n`)).toEqual([
      { field: 'keyswitch.env:5 JWTKey', message: 'is shorter than 32 characters' },
    ]);
    expect(faultsOf(COMPLETE, { JWT_KEY: '' })).toEqual([
      { field: 'JWT_KEY', message: 'is shorter than 32 characters' },
    ]);
  });

  test("puts its own name before Jube's, and the environment before both", () => {
    const text = `JWTValidIssuer=alias\n${COMPLETE}`;
    expect(load(text).jwtIssuer).toBe('us');
    expect(load(text, { JWTValidIssuer: 'env alias' }).jwtIssuer).toBe('env alias');
    expect(load(text, { JWTValidIssuer: 'env alias', JWT_VALID_ISSUER: 'env' }).jwtIssuer).toBe('env');
  });
});

describe('refusals', () => {
  test('name every fault by file and line, and the environment by variable', () => {
    const text = `# ours\nSECRET_PWD_KEY=short\nno assignment\nJWT_VALID_ISSUER=\nJWT_VALID_AUDIENCE="open\nX=1\nX=2\n`;
    expect(faultsOf(text, { PASSWORD_HASHING_KEY: 'fifteen-letters' })).toEqual([
      { field: 'keyswitch.env:3', message: 'expected KEY=VALUE or a comment' },
      { field: 'keyswitch.env:5', message: 'the quotes do not match, or a comment follows without quotes' },
      { field: 'keyswitch.env:7', message: 'sets the same key as keyswitch.env:6' },
      { field: 'keyswitch.env:2 SECRET_PWD_KEY', message: 'is shorter than 16 characters' },
      { field: 'PASSWORD_HASHING_KEY', message: 'is shorter than 16 characters' },
      { field: 'keyswitch.env:4 JWT_VALID_ISSUER', message: 'is empty' },
    ]);
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  test('accept a key of exactly 16 characters', () => {
    expect(String(load(COMPLETE, { SECRET_PWD_KEY: '0123456789abcdef' }).secretPwdKey)).toBe(
      '0123456789abcdef',
    );
  });

  test.each(['\'a"', '"a" b', 'a # b', `"a'`])('do not guess what the value %j means', (value) => {
    expect(faultsOf(`${COMPLETE}OTHER=${value}\n`).map(({ field }) => field)).toEqual(['keyswitch.env:5']);
  });

  test('cover a file that cannot be read or is not UTF-8', () => {
    expect(faultsOf(Uint8Array.of(0xff, 0xfe, 0x61, 0x00))).toMatchObject([{ field: 'keyswitch.env' }]);
    rmSync(file);
    mkdirSync(file);
    expect(() => load()).toThrow(expect.objectContaining({ code: 'secrets-invalid' }));
  });
});

describe('the log', () => {
  test.runIf(process.platform !== 'win32')('warns of a file that others have rights to', () => {
    load(COMPLETE);
    chmodSync(file, 0o640);
    load();
    expect(log.lines).toMatchObject([{ level: 'warn', file }]);
  });

  test('warns of a line that sets nothing known, by its place alone', () => {
    load(`${COMPLETE}PASWORD_HASHING_KEY=x\n`);
    expect(log.lines).toMatchObject([{ level: 'warn', place: 'keyswitch.env:5' }]);
    expect(JSON.stringify(log.lines)).not.toContain('PASWORD');
  });

  test('tells which secrets were made', () => {
    load(`SECRET_PWD_KEY=${SIGNING}\n`);
    const names = ['PASSWORD_HASHING_KEY', 'JWT_VALID_ISSUER', 'JWT_VALID_AUDIENCE'];
    expect(log.lines).toMatchObject([{ level: 'info', file, names }]);
  });
});

describe('whatever the file holds', () => {
  /** Runs `text` through the loader; anything thrown but ours fails the property. */
  function survives(text: string | Uint8Array): KeyswitchError | undefined {
    try {
      load(text);
    } catch (error) {
      expect(error).toMatchObject({ name: 'KeyswitchError', code: 'secrets-invalid' });
      return error as KeyswitchError;
    }
    return undefined;
  }

  test('throws nothing but secrets-invalid for arbitrary text and bytes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.uint8Array()), (text) => void survives(text)),
    );
  });

  test('reads back what it wrote, whatever stood there before', () => {
    const line = fc.constantFrom(...COMPLETE.trim().split('\n'), '', '# c', 'A=1', 'B="x"', '  ');
    fc.assert(
      fc.property(
        fc.uniqueArray(line),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        (lines, lineEnd, closed) => {
          const secrets = load(lines.join(lineEnd) + (closed ? lineEnd : ''));
          expect(load(undefined, {}, 'another seed')).toEqual(secrets);
        },
      ),
    );
  });

  test('never tells a value, in an error or in the log', () => {
    const secret = 'Xq7vLw0pZ3';
    const piece = fc.constantFrom(
      ...[
        'SECRET_PWD_KEY',
        'JWTValidIssuer',
        secret,
        '=',
        '"',
        "'",
        '#',
        ' ',
        '\n',
        '\r',
        '\u2028',
        '\\',
        '==',
      ],
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const error = survives(pieces.join(''));
        const told = JSON.stringify([
          error?.message,
          error?.faults,
          error?.stack,
          String(error?.cause),
          log.lines,
        ]);
        expect(told).not.toContain(secret);
      }),
      { numRuns: 300 },
    );
  });
});
