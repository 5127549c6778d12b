import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createAuthority, createServerCertificate } from '../../server/http/certificates.ts';
import { createFixedClock, createSystemClock } from '../../server/ports/clock.ts';
import { createSystemRandom } from '../../server/ports/random.ts';
import { temporaryFolder } from '../../test/house.ts';
import { createSource, readWhole, type Source } from './source.ts';

const UNREACHABLE = { code: 'update-unreachable' };
const clock = createFixedClock();
const read = async (source: Source, name = 'latest.yml', most = 1000): Promise<string> =>
  (await readWhole(source, name, most)).toString();

describe('a folder', () => {
  function folderSource(): { folder: string; source: Source } {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'latest.yml'), 'version: 1.2.3\n');
    return { folder, source: createSource(folder, { clock, caFile: '' }) };
  }

  test('gives its files', async () => {
    expect(await read(folderSource().source)).toBe('version: 1.2.3\n');
  });

  test('is unreachable where it, or the file, is not there', async () => {
    const { folder, source } = folderSource();
    await expect(read(source, 'latest-linux.yml')).rejects.toMatchObject(UNREACHABLE);
    mkdirSync(join(folder, 'a folder'));
    await expect(read(source, 'a folder')).rejects.toMatchObject(UNREACHABLE);
    const gone = createSource(join(folder, 'gone'), { clock, caFile: '' });
    await expect(read(gone)).rejects.toMatchObject(UNREACHABLE);
  });

  test('is not read further than a manifest is long', async () => {
    const { folder, source } = folderSource();
    writeFileSync(join(folder, 'latest.yml'), Buffer.alloc(10 * 2 ** 20, 'a'));
    await expect(read(source, 'latest.yml', 65_536)).rejects.toMatchObject({ code: 'update-invalid' });
  });
});

describe('an HTTPS server', () => {
  const ports = { clock: createSystemClock(), random: createSystemRandom() };
  const authority = createAuthority('plant', ports);
  const { certificate, key } = createServerCertificate(['127.0.0.1'], authority, ports);
  let server: Server;
  let url: string;
  let asked: string[] = [];
  let caFile: string;

  beforeAll(async () => {
    server = createServer({ cert: certificate.toString(), key }, (request, response) => {
      asked.push(request.url ?? '');
      switch (request.url) {
        case '/updates/latest.yml':
          return response.end('version: 1.2.3\n');
        case '/updates/moved.yml':
          return response.writeHead(302, { location: '/updates/latest.yml' }).end();
        case '/updates/cut.exe':
          response.writeHead(200, { 'content-length': 1000 });
          return response.write('half', () => response.destroy());
        case '/updates/stalled.exe':
          response.writeHead(200);
          return response.write('half');
        case '/updates/silent.exe':
          return;
        default:
          return response.writeHead(404).end();
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/updates`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    asked = [];
    caFile = join(temporaryFolder(), 'updates-ca.crt');
    writeFileSync(caFile, authority.certificate.toString());
  });

  test('gives its files, with or without a slash at the end of its address', async () => {
    for (const from of [url, `${url}/`]) {
      expect(await read(createSource(from, { clock, caFile }))).toBe('version: 1.2.3\n');
    }
  });

  test('that nobody has said to trust is asked for nothing', async () => {
    const missing = join(temporaryFolder(), 'updates-ca.crt');
    await expect(read(createSource(url, { clock, caFile: missing }))).rejects.toMatchObject(UNREACHABLE);
    expect(asked).toEqual([]);
  });

  test('is trusted where the operating system does, unless the site names a CA of its own', async () => {
    const asSystem = async (ownCa: string): Promise<string> => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', READ_IT], {
        // Where OpenSSL looks for what the machine trusts.
        env: { ...process.env, SSL_CERT_FILE: caFile, FROM: url, CA_FILE: ownCa },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      return text(child.stdout);
    };
    const other = join(temporaryFolder(), 'updates-ca.crt');
    expect(await asSystem(other)).toBe('version: 1.2.3\n');
    writeFileSync(other, createAuthority('another plant', ports).certificate.toString());
    expect(await asSystem(other)).toBe('update-unreachable');
  });

  test('whose certificate is for another name is asked for nothing', async () => {
    const from = url.replace('127.0.0.1', 'localhost');
    await expect(read(createSource(from, { clock, caFile }))).rejects.toMatchObject(UNREACHABLE);
    expect(asked).toEqual([]);
  });

  test.each(['moved.yml', 'missing.yml', 'cut.exe'])(
    'that has no more than %s is as good as away',
    async (name) => {
      await expect(read(createSource(url, { clock, caFile }), name)).rejects.toMatchObject(UNREACHABLE);
      expect(asked).toEqual([`/updates/${name}`]);
    },
  );

  test('that has gone is unreachable', async () => {
    await expect(read(createSource('https://127.0.0.1:9/', { clock, caFile }))).rejects.toMatchObject(
      UNREACHABLE,
    );
  });

  test('that goes silent, before its answer or within it, is given up after a minute', async () => {
    for (const name of ['silent.exe', 'stalled.exe']) {
      const began = new Promise<void>((resolve) => server.once('request', () => resolve()));
      const reading = read(createSource(url, { clock, caFile }), name);
      const outcome = expect(reading).rejects.toMatchObject({
        ...UNREACHABLE,
        message: expect.stringContaining('nothing came for 60 s') as string,
      });
      await began;
      let isOver = false;
      void reading.catch(() => (isOver = true));
      // The piece that has come may begin the minute anew.
      for (let minutes = 0; minutes < 1000 && !isOver; minutes += 1) {
        await clock.advance(61_000);
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(isOver).toBe(true);
      await outcome;
    }
  });
});

/** Prints the manifest, or why it cannot be had, in a process that finds its machine's trust anew. */
const READ_IT = `
  const { createSource, readWhole } = await import('${join(import.meta.dirname, 'source.ts')}');
  const { createSystemClock } = await import('${join(import.meta.dirname, '../../server/ports/clock.ts')}');
  const source = createSource(process.env.FROM, { clock: createSystemClock(), caFile: process.env.CA_FILE });
  const told = await readWhole(source, 'latest.yml', 1000).catch(({ code }) => code);
  process.stdout.write(told.toString());
`;
