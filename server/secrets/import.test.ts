import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { KeyswitchError } from '../errors.ts';
import { createMemoryLog } from '../ports/log.ts';
import { createFixedRandom } from '../ports/random.ts';
import { parseEnvFile } from './env-file.ts';
import { importJubeEnvironment, type ImportedSecrets } from './import.ts';
import { loadSecrets } from './secrets.ts';

const KEY = 'x'.repeat(64);
const PEPPER = 'y'.repeat(64);
const JUBE = `# Jube
ConnectionString=Host=db;Port=5432;Database=jube;Password=p=q;
JWTValidAudience=http://localhost:5001
JWTValidIssuer=http://localhost:5001
JWTKey=${KEY}
PasswordHashingKey=${PEPPER}
`;

let dataFolder: string;
let source: string;
let target: string;
beforeEach(() => {
  dataFolder = mkdtempSync(join(tmpdir(), 'keyswitch-import-'));
  source = join(dataFolder, 'Jube.environment');
  target = join(dataFolder, 'keyswitch.env');
});
afterEach(() => rmSync(dataFolder, { recursive: true }));

function run(from: string, here?: string, force = false): ImportedSecrets {
  writeFileSync(source, from);
  if (here !== undefined) writeFileSync(target, here);
  return importJubeEnvironment(source, { dataFolder, force });
}

function refusal(from: string, here?: string, force = false): KeyswitchError {
  try {
    run(from, here, force);
  } catch (error) {
    return error as KeyswitchError;
  }
  throw new Error('nothing was refused');
}

const load = () => loadSecrets({ dataFolder, env: {}, random: createFixedRandom(), log: createMemoryLog() });

describe('importing a Jube.environment', () => {
  test('takes the four secrets into a new file that nobody else may read, and the loader makes the rest', () => {
    const imported = run(JUBE);
    expect(imported).toEqual({
      added: ['PASSWORD_HASHING_KEY', 'JWT_VALID_ISSUER', 'JWT_VALID_AUDIENCE', 'JWT_KEY'],
      replaced: [],
      unchanged: [],
    });
    if (process.platform !== 'win32') expect(statSync(target).mode & 0o777).toBe(0o600);
    expect(load()).toMatchObject({
      passwordHashingKey: Buffer.from(PEPPER),
      jwtIssuer: 'http://localhost:5001',
      jwtAudience: 'http://localhost:5001',
      jwtKey: Buffer.from(KEY),
    });
    expect(readFileSync(target, 'utf8')).not.toContain('ConnectionString');
    expect(JSON.stringify(imported)).not.toContain(KEY);
  });

  test('adds what is absent, keeps every other line, and closes the file to others', () => {
    const here = `# ours\r\nSECRET_PWD_KEY=0123456789abcdef\r\nJWTValidIssuer="http://localhost:5001"`;
    writeFileSync(target, here);
    chmodSync(target, 0o644);
    expect(run(JUBE)).toEqual({
      added: ['PASSWORD_HASHING_KEY', 'JWT_VALID_AUDIENCE', 'JWT_KEY'],
      replaced: [],
      unchanged: ['JWTValidIssuer'],
    });
    expect(readFileSync(target, 'utf8').startsWith(`${here}\nPASSWORD_HASHING_KEY=`)).toBe(true);
    if (process.platform !== 'win32') expect(statSync(target).mode & 0o777).toBe(0o600);
    expect(readdirSync(dataFolder).toSorted()).toEqual(['Jube.environment', 'keyswitch.env']);
  });

  test('imports the same file twice without a change', () => {
    run(JUBE);
    const once = readFileSync(target, 'utf8');
    expect(run(JUBE)).toMatchObject({ added: [], replaced: [], unchanged: { length: 4 } });
    expect(readFileSync(target, 'utf8')).toBe(once);
  });

  test('replaces nothing without being told to, and names what that would void', () => {
    const here = `JWT_KEY=${'z'.repeat(32)}\nPasswordHashingKey=${'z'.repeat(16)}\n`;
    const error = refusal(JUBE, here);
    expect(error.code).toBe('already-exists');
    expect(error.faults).toEqual([
      {
        field: 'keyswitch.env:2 PasswordHashingKey',
        message:
          'has another value than Jube.environment:6 PasswordHashingKey; --force replaces it, and then no password that was set here can be verified any more',
      },
      {
        field: 'keyswitch.env:1 JWT_KEY',
        message:
          'has another value than Jube.environment:5 JWTKey; --force replaces it, and then every token signed with the former key is void',
      },
    ]);
    expect(readFileSync(target, 'utf8')).toBe(here);

    expect(run(JUBE, here, true)).toEqual({
      added: ['JWT_VALID_ISSUER', 'JWT_VALID_AUDIENCE'],
      replaced: ['PasswordHashingKey', 'JWT_KEY'],
      unchanged: [],
    });
    expect(load()).toMatchObject({ passwordHashingKey: Buffer.from(PEPPER), jwtKey: Buffer.from(KEY) });
  });

  test.each<[string, string, string | undefined, { field: string; message: string }[]]>([
    [
      'a line that is none',
      `${JUBE}what is this\n`,
      undefined,
      [{ field: 'Jube.environment:7', message: 'expected KEY=VALUE or a comment' }],
    ],
    [
      'a key that is too short, and a fault here',
      'JWTKey=short\nPasswordHashingKey=\n',
      'X="\n',
      [
        { field: 'keyswitch.env:1', message: 'the quotes do not match, or a comment follows without quotes' },
        { field: 'Jube.environment:2 PasswordHashingKey', message: 'is shorter than 16 characters' },
        { field: 'Jube.environment:1 JWTKey', message: 'is shorter than 32 characters' },
      ],
    ],
    [
      'a file with nothing for us',
      'HttpPort=5001\n',
      undefined,
      [
        {
          field: 'the file',
          message: 'sets none of PasswordHashingKey, JWTValidIssuer, JWTValidAudience, JWTKey',
        },
      ],
    ],
  ])('refuses %s, naming every fault, and writes nothing', (_title, from, here, faults) => {
    const error = refusal(from, here);
    expect(error).toMatchObject({ code: 'secrets-invalid', faults });
    expect(readdirSync(dataFolder).includes('keyswitch.env')).toBe(here !== undefined);
  });

  test('refuses what cannot be read', () => {
    const missing = join(dataFolder, 'nowhere');
    expect(() => importJubeEnvironment(missing, { dataFolder, force: false })).toThrow(
      expect.objectContaining({
        code: 'secrets-invalid',
        faults: [{ field: 'nowhere', message: 'is not there' }],
      }),
    );
    mkdirSync(missing);
    expect(() => importJubeEnvironment(missing, { dataFolder, force: false })).toThrow(
      expect.objectContaining({ code: 'secrets-invalid' }),
    );
  });

  test('takes every value as it reads, however it was written, and never tells one', () => {
    const piece = fc.constantFrom('a', 'Xq7vLw0pZ3', '"', "'", '#', ' ', '=', '\\', 'é', '$');
    const value = fc.array(piece, { minLength: 32, maxLength: 48 }).map((pieces) => pieces.join(''));
    const quote = fc.constantFrom('', '"', "'");
    fc.assert(
      fc.property(value, quote, fc.boolean(), (text, mark, force) => {
        rmSync(target, { force: true });
        const from = `JWTKey=${mark}${text}${mark}\n`;
        const read = parseEnvFile(from, '').values.get('JWTKey')?.value;
        const told: unknown[] = [];
        try {
          told.push(run(from, force ? `JWT_KEY=${'z'.repeat(32)}\n` : undefined, force));
          expect(load().jwtKey).toEqual(Buffer.from(read ?? 'nothing was read'));
        } catch (error) {
          if (!(error instanceof Error) || error.name !== 'KeyswitchError') throw error;
          told.push(error.message, (error as KeyswitchError).faults);
          expect(read === undefined || read.length < 32).toBe(true);
        }
        expect(JSON.stringify(told)).not.toContain('Xq7vLw0pZ3');
      }),
      { numRuns: 300 },
    );
  });
});
