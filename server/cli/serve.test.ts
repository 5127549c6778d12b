/** `keyswitch serve`: how it starts, how it stops, and what it says where it cannot start. */
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { Agent } from 'node:https';
import { createConnection, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { keyswitch, serve, type Ended, type Serving } from '../../test/command-line.ts';
import { newFolder, PASSWORD, send, type Ask } from '../../test/host.ts';
import { connect } from '../../test/socket.ts';

function keptFolder(): string {
  const folder = newFolder();
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function clientOf({ url, control }: Serving) {
  const agent = new Agent({ ca: control.trust });
  return (method: string, path: string, ask: Ask = {}) => send(url, agent, method, path, ask);
}

describe('a host that is served', () => {
  test('tells a first sign-in once, stops when it is told, and has its sessions when it is back', async () => {
    const folder = keptFolder();
    const first = await serve(folder);
    expect(first.lines).toEqual([
      expect.stringMatching(
        /^First sign-in: user Administrator, one-time secret ([a-z2-9]{5}-){3}[a-z2-9]{5}$/,
      ),
      'It is shown this once, good for 24 hours, and asks for a password of your own.',
      'Lost it? `keyswitch user reset Administrator` makes another one.',
      expect.stringMatching(/^Keyswitch ready: https:\/\/127\.0\.0\.1:\d+$/),
    ]);
    const [, secret = ''] = /one-time secret (\S+)$/.exec(first.lines[0] ?? '') ?? [];
    const ask = clientOf(first);
    const signIn = { username: 'Administrator', password: secret };
    const asked = await ask('POST', '/api/v1/sign-in', { json: signIn });
    const { ticket } = asked.body as { ticket: string };
    const changed = await ask('POST', '/api/v1/password-change', { json: { ticket, newPassword: PASSWORD } });
    const { accessToken: token } = changed.body as { accessToken: string };
    expect((await ask('GET', '/api/v1/users', { token })).status).toBe(200);

    // Twice, as a terminal and npx do it: the second time while it waits for one that does not go.
    const deaf = createConnection(Number(new URL(first.url).port), '127.0.0.1');
    await once(deaf, 'connect');
    const page = await connect({ url: first.url, ca: first.control.trust });
    first.signal('SIGTERM');
    expect((await page.closed).code).toBe(1001);
    const stopped = first.stop('SIGTERM');
    deaf.destroy();
    expect(await stopped).toMatchObject({ code: 0, signal: null, stderr: '' });
    expect(existsSync(join(folder, 'control.json'))).toBe(false);
    expect(readdirSync(folder).filter((name) => name.startsWith('keyswitch.db'))).toEqual(['keyswitch.db']);
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    const kept = files.map((file) => readFileSync(join(file.parentPath, file.name), 'latin1')).join();
    for (const text of [secret, ticket, PASSWORD, token]) expect(kept).not.toContain(text);

    const second = await serve(folder);
    expect(second.lines).toHaveLength(1);
    expect((await clientOf(second)('GET', '/api/v1/users', { token })).status).toBe(200);
    expect(await second.stop('SIGINT')).toMatchObject({ code: 0, signal: null, stderr: '' });
  });

  test('starts under an older Node with the one that the project brings, and is stopped through it', async () => {
    const folder = keptFolder();
    const older = join(folder, 'older.cjs');
    writeFileSync(
      older,
      `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.0.0' } });`,
    );
    const entry = join(import.meta.dirname, '..', 'keyswitch.js');
    const host = await serve(folder, [], { program: [process.execPath, '--require', older, entry] });
    const { pid } = host.control;
    expect(await host.stop()).toMatchObject({ code: 0, signal: null });
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  test('is started by npx from a clone', async () => {
    const cache = keptFolder();
    const folder = keptFolder();
    // The link to the clone is made in a cache of its own; nothing is built, nothing is asked of a registry.
    const env = { npm_config_cache: cache, npm_config_ignore_scripts: 'true', npm_config_offline: 'true' };
    const ended = await keyswitch(['keyswitch', 'user', 'list', '--data', folder], { program: ['npx'], env });
    expect(ended).toMatchObject({
      code: 0,
      stdout: 'No users yet. `keyswitch first-run` makes the administrator.\n',
    });
  });
});

describe('a host that cannot start says why in a line, and ends with 2', () => {
  async function takenPort(): Promise<number> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    return (server.address() as AddressInfo).port;
  }

  function expectComplaint({ code, signal, stdout, stderr }: Ended, ...lines: (string | RegExp)[]): void {
    expect({ code, signal, stdout }).toEqual({ code: 2, signal: null, stdout: '' });
    const said = stderr.trimEnd().split('\n');
    expect(said).toEqual(
      lines.map((line) => (typeof line === 'string' ? `keyswitch: ${line}` : expect.stringMatching(line))),
    );
  }

  test('where the port is taken or the address is none of this machine; and the first sign-in is not lost', async () => {
    const folder = keptFolder();
    const port = await takenPort();
    expectComplaint(
      await keyswitch(['serve', '--data', folder, '--port', String(port)]),
      `Another program listens on 127.0.0.1:${port}. Stop it, or set http.port.`,
    );
    expectComplaint(
      await keyswitch(['serve', '--data', folder, '--host', '192.0.2.1']),
      'Cannot listen on 192.0.2.1:8443 (EADDRNOTAVAIL). Set http.host to an address of this machine.',
    );
    const host = await serve(folder);
    expect(host.lines[0]).toMatch(/^First sign-in: user Administrator, one-time secret /);
    await host.stop();
  });

  test('where the data folder lies below a file', async () => {
    const file = join(keptFolder(), 'file');
    writeFileSync(file, '');
    expectComplaint(
      await keyswitch(['serve', '--data', join(file, 'data')]),
      `${file}/data cannot be used: a part of the path is a file, not a folder.`,
    );
  });

  test('where keyswitch.yaml or a flag has faults, each with its line', async () => {
    const folder = keptFolder();
    writeFileSync(join(folder, 'keyswitch.yaml'), '# Ours.\nhttp:\n  prot: 8443\n');
    const [one, check] = await Promise.all([
      keyswitch(['serve', '--data', folder]),
      keyswitch(['config', 'check', '--data', folder]),
    ]);
    const fault = 'keyswitch.yaml:3 http.prot: unknown key; did you mean http.port?';
    expectComplaint(one, fault);
    expectComplaint(check, fault);
    expectComplaint(
      await keyswitch(['serve', '--data', folder, '--port', 'x']),
      fault,
      '--http.port: expected whole number, 0 to 65535; given "x"',
    );
    writeFileSync(join(folder, 'keyswitch.yaml'), 'http: [\n');
    expectComplaint(await keyswitch(['serve', '--data', folder]), /^keyswitch: keyswitch\.yaml:\d+: ./);
  });

  test('where keyswitch.env has faults, without a value of it', async () => {
    const folder = keptFolder();
    writeFileSync(join(folder, 'keyswitch.env'), '# Ours.\nSECRET_PWD_KEY=tooshort\n', { mode: 0o600 });
    expectComplaint(
      await keyswitch(['serve', '--data', folder]),
      'keyswitch.env:2 SECRET_PWD_KEY: is shorter than 16 characters',
    );
  });

  test('where the database is damaged, which it leaves byte for byte as it was', async () => {
    const folder = keptFolder();
    await keyswitch(['first-run', '--sample', '--data', folder]);
    const file = join(folder, 'keyswitch.db');
    const whole = readFileSync(file);
    const page = whole.readUInt16BE(16);
    const damages: [title: string, bytes: Buffer][] = [
      ['the start of every page but the first', overwritten(whole, page)],
      ['no database at all', Buffer.alloc(10_000, 'x')],
      ['half of it', whole.subarray(0, whole.length / 2)],
    ];
    const damagedFolders = damages.map(([, bytes], at) => {
      const damaged = join(folder, String(at));
      mkdirSync(damaged);
      copyFileSync(join(folder, 'keyswitch.env'), join(damaged, 'keyswitch.env'));
      writeFileSync(join(damaged, 'keyswitch.db'), bytes);
      return damaged;
    });
    const endings = await Promise.all(
      damagedFolders.map((damaged) => keyswitch(['serve', '--data', damaged])),
    );
    for (const [at, ended] of endings.entries()) {
      const path = join(damagedFolders[at]!, 'keyswitch.db');
      expect(ended.stderr, damages[at]![0]).toMatch(
        /^keyswitch: .* is damaged and was left untouched \(.+\)\. Restore a backup\.\n$/,
      );
      expectComplaint(ended, /./);
      expect(readFileSync(path).equals(damages[at]![1])).toBe(true);
    }

    function overwritten(bytes: Buffer, size: number): Buffer {
      const copy = Buffer.from(bytes);
      for (let at = size; at < copy.length; at += size) copy.fill('x', at, at + 16);
      return copy;
    }
  });

  test('where its certificate cannot be used', async () => {
    const folder = keptFolder();
    const settings = ['--set', 'http.certificate=no.crt', '--set', 'http.certificateKey=no.key'];
    expectComplaint(
      await keyswitch(['serve', '--data', folder, ...settings]),
      /^keyswitch: .*no\.(crt|key) cannot be read: ENOENT/,
    );
  });
});
