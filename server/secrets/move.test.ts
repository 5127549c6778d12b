import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTestKeyStore } from '../../test/key-store.ts';
import { createMemoryLog, type MemoryLog } from '../ports/log.ts';
import { createFixedRandom } from '../ports/random.ts';
import { lockFolder } from '../store/folder-lock.ts';
import { sealEnvText } from './sealing.ts';
import { keepSealed, moveSecrets } from './move.ts';
import { loadSecrets, type Secrets } from './secrets.ts';

const ANNA = createTestKeyStore();
const PLAIN = `# ours
SECRET_PWD_KEY=signing-key-of-a-site
PASSWORD_HASHING_KEY="hashing key # of a site"
JWT_VALID_ISSUER=us
JWT_VALID_AUDIENCE=you
`;

let dataFolder: string;
let file: string;
let log: MemoryLog;
beforeEach(() => {
  dataFolder = mkdtempSync(join(tmpdir(), 'keyswitch-move-'));
  file = join(dataFolder, 'keyswitch.env');
  writeFileSync(file, PLAIN, { mode: 0o600 });
  log = createMemoryLog();
});
afterEach(() => rmSync(dataFolder, { recursive: true }));

const text = (): string => readFileSync(file, 'utf8');
const load = (keyStore = ANNA, env: Record<string, string> = {}): Secrets =>
  loadSecrets({ dataFolder, env, random: createFixedRandom(), log, keyStore });

describe('moving the secrets', () => {
  test('seals them, and gives them back as they were', () => {
    const secrets = load();
    expect(moveSecrets(dataFolder, 'sealed', ANNA)).toBe(true);
    expect(text()).not.toMatch(/signing-key|hashing key/);
    expect(load()).toEqual(secrets);
    expect(moveSecrets(dataFolder, 'sealed', ANNA)).toBe(false);
    expect(moveSecrets(dataFolder, 'plain', ANNA)).toBe(true);
    expect(text()).toBe(PLAIN);
    expect(moveSecrets(dataFolder, 'plain', null)).toBe(false);
  });

  test('is refused while a host runs on the folder', () => {
    const lock = lockFolder(dataFolder);
    expect(() => moveSecrets(dataFolder, 'sealed', ANNA)).toThrow(
      expect.objectContaining({ code: 'data-folder-in-use' }),
    );
    lock.release();
    expect(text()).toBe(PLAIN);
  });

  test.each([
    ['there is none', null],
    ['it has not shown yet that it keeps its key', createTestKeyStore('test/anna@PANEL-3', false)],
  ])('seals nothing where %s', (_title, keyStore) => {
    expect(() => moveSecrets(dataFolder, 'sealed', keyStore)).toThrow(
      expect.objectContaining({ code: 'key-store-unavailable' }),
    );
    expect(text()).toBe(PLAIN);
  });

  test('opens nothing that another account has sealed, and leaves the file alone', () => {
    moveSecrets(dataFolder, 'sealed', ANNA);
    const sealed = text();
    for (const keyStore of [null, createTestKeyStore('test/ben@PANEL-3')]) {
      expect(() => moveSecrets(dataFolder, 'plain', keyStore)).toThrow(
        expect.objectContaining({ code: 'secrets-sealed' }),
      );
    }
    expect(text()).toBe(sealed);
  });

  test('refuses a file with faults', () => {
    writeFileSync(file, 'what is this');
    expect(() => moveSecrets(dataFolder, 'sealed', ANNA)).toThrow(
      expect.objectContaining({ code: 'secrets-invalid' }),
    );
  });

  test('closes the file to others, and keeps a link to a file elsewhere', () => {
    const elsewhere = join(dataFolder, 'elsewhere');
    writeFileSync(elsewhere, PLAIN);
    chmodSync(elsewhere, 0o644);
    rmSync(file);
    symlinkSync(elsewhere, file);
    moveSecrets(dataFolder, 'sealed', ANNA);
    expect(readFileSync(elsewhere, 'utf8')).toContain('sealed:');
    if (process.platform !== 'win32') expect(statSync(elsewhere).mode & 0o777).toBe(0o600);
  });

  test('clears away the plain copy of a move that was killed', () => {
    writeFileSync(`${file}.4711.tmp`, PLAIN);
    moveSecrets(dataFolder, 'sealed', ANNA);
    expect(readdirSync(dataFolder).toSorted()).toEqual(['keyswitch.env', 'keyswitch.lock']);
  });

  test('leaves one of both whole, wherever it is killed', async () => {
    const sealed = sealEnvText(PLAIN, ANNA);
    for (let move = 1; move <= 8; move += 1) {
      await killAt(move);
      expect([PLAIN, sealed]).toContain(text());
    }
  });

  /** Moves the secrets to and fro in another process, and kills it just after it has said that it does so again. */
  async function killAt(move: number): Promise<void> {
    const modules = [
      new URL('./move.ts', import.meta.url).href,
      new URL('../../test/key-store.ts', import.meta.url).href,
    ];
    const [moving, testing] = modules.map((url) => JSON.stringify(url));
    const code = `
      import { moveSecrets } from ${moving};
      import { createTestKeyStore } from ${testing};
      for (let move = 1; ; move += 1) {
        process.stdout.write(move + '\\n');
        moveSecrets(process.argv[1], move % 2 === 0 ? 'plain' : 'sealed', createTestKeyStore());
      }`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', code, dataFolder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    for await (const line of createInterface({ input: child.stdout })) {
      if (Number(line) >= move) break;
    }
    child.kill('SIGKILL');
    await ended;
  }
});

describe('a desktop that starts', () => {
  test('seals what is plain, and says so', () => {
    keepSealed(dataFolder, ANNA, log);
    expect(text()).toBe(sealEnvText(PLAIN, ANNA));
    expect(log.lines).toMatchObject([{ level: 'info', keyStore: ANNA.name }]);
    keepSealed(dataFolder, ANNA, log);
    expect(log.lines).toHaveLength(1);
  });

  test('says plainly that there is no key store', () => {
    keepSealed(dataFolder, null, log);
    expect(text()).toBe(PLAIN);
    expect(log.lines).toMatchObject([
      { level: 'info', msg: expect.stringContaining('plain text') as unknown },
    ]);
  });

  test('trusts no key store that has not shown that it keeps its key', () => {
    keepSealed(dataFolder, createTestKeyStore('test/anna@PANEL-3', false), log);
    expect({ text: text(), lines: log.lines }).toEqual({ text: PLAIN, lines: [] });
  });

  test('goes on in plain text where sealing fails, and beneath a host that runs seals nothing', () => {
    const broken = {
      ...ANNA,
      seal: (): string => {
        throw new Error('the key ring is locked');
      },
    };
    keepSealed(dataFolder, broken, log);
    const lock = lockFolder(dataFolder);
    keepSealed(dataFolder, ANNA, log);
    lock.release();
    expect(text()).toBe(PLAIN);
    expect(log.lines).toMatchObject([{ level: 'warn' }, { level: 'warn' }]);
  });
});

describe('sealed secrets', () => {
  beforeEach(() => void moveSecrets(dataFolder, 'sealed', ANNA));

  test('are asked for only where the environment has not set them', () => {
    const env = {
      SECRET_PWD_KEY: 'another-signing-key',
      PASSWORD_HASHING_KEY: 'another-hashing-key',
      JWT_VALID_ISSUER: 'me',
      JWT_VALID_AUDIENCE: 'them',
    };
    const before = text();
    expect(String(loadSecrets({ dataFolder, env, random: createFixedRandom(), log }).secretPwdKey)).toBe(
      'another-signing-key',
    );
    keepSealed(dataFolder, ANNA, log);
    expect(text()).toBe(before);
    expect(() => load(undefined, {})).not.toThrow();
    expect(() => loadSecrets({ dataFolder, env: {}, random: createFixedRandom(), log })).toThrow(
      expect.objectContaining({ code: 'secrets-sealed' }),
    );
  });

  test('are joined by what is missing, in plain text until it is sealed as well', () => {
    writeFileSync(file, text().replace(/^JWT_VALID_ISSUER.*\n/m, ''));
    const secrets = load();
    expect(text()).toMatch(/^JWT_VALID_ISSUER=keyswitch:/m);
    keepSealed(dataFolder, ANNA, log);
    expect(text()).toMatch(/^JWT_VALID_ISSUER=sealed:/m);
    expect(load()).toEqual(secrets);
  });
});
