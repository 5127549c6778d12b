import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile, mkdir } from 'node:fs/promises';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { hostname, tmpdir, type NetworkInterfaceInfo } from 'node:os';
import { join } from 'node:path';
import tls, { type ConnectionOptions, type TLSSocket } from 'node:tls';
import { X509Certificate } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createFixedClock, createSystemClock } from '../ports/clock.ts';
import { createMemoryLog } from '../ports/log.ts';
import { createFixedRandom } from '../ports/random.ts';
import { createAuthority, createServerCertificate, DAY_MS } from './certificates.ts';
import { createTls, tlsOptions, type OwnCertificate, type Tls, type TlsInput } from './tls.ts';

/** Clients on the other side of a socket go by the machine's clock. */
const NOW = createSystemClock().now();

const card = (address: string, family: 'IPv4' | 'IPv6') => ({ address, family }) as NetworkInterfaceInfo;

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'keyswitch-tls-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

/** A machine with one network card, whose clock stands at `startMs`. */
async function newMachine(startMs = NOW) {
  const log = createMemoryLog();
  const clock = createFixedClock(startMs);
  const input: TlsInput = {
    folder: join(await newFolder(), 'tls'),
    names: ['hmi.plant.example'],
    ownCertificate: null,
    clock,
    random: createFixedRandom(),
    log,
    interfaces: () => ({
      eth0: [card('192.168.0.7', 'IPv4'), card('2001:db8::7', 'IPv6'), card('fe80::7', 'IPv6')],
    }),
  };
  const start = async (changes: Partial<TlsInput> = {}): Promise<Tls> => {
    const made = await createTls({ ...input, ...changes });
    onTestFinished(() => made.close());
    return made;
  };
  return { ...input, clock, log, start };
}

const changeOf = (subject: Tls) => new Promise<void>((resolve) => subject.onChange(() => resolve()));

const read = (folder: string, name: string) => readFile(join(folder, name), 'utf8');

async function serve(subject: Tls) {
  const server = https.createServer(tlsOptions(subject.credentials()), (_, response) =>
    response.end('served'),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close().closeAllConnections());
  return { server, port: (server.address() as AddressInfo).port };
}

interface Answer {
  readonly text: string;
  readonly fingerprint: string;
  readonly reused: boolean;
}

function get(options: https.RequestOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = https.get({ family: 4, ...options }, async (response) => {
      const fingerprint = (response.socket as TLSSocket).getPeerCertificate().fingerprint256;
      const text = (await response.toArray()).join('');
      resolve({ text, fingerprint, reused: request.reusedSocket });
    });
    request.on('error', reject);
  });
}

describe('the local certificate', () => {
  test('is accepted by a client that trusts the CA, by address and by name', async () => {
    const { start } = await newMachine();
    const subject = await start();
    const { port } = await serve(subject);
    for (const host of ['127.0.0.1', 'localhost']) {
      const answer = await get({ host, port, ca: subject.caCertificate! });
      expect(answer).toMatchObject({ text: 'served', fingerprint: subject.fingerprint256() });
    }
  });

  test('is refused by a client that does not trust the CA', async () => {
    const { start } = await newMachine();
    const { port } = await serve(await start());
    await expect(get({ host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'SELF_SIGNED_CERT_IN_CHAIN',
    });
  });

  test('names the machine, its addresses and what is configured', async () => {
    const { start, log } = await newMachine();
    const subject = await start({
      names: ['HMI.Plant.example', '*.halle-süd.example', '10.1.2.3', 'a b', 'x/y', 'fe80::1%eth0'],
    });
    const certificate = new X509Certificate(subject.credentials().cert);
    const names = certificate.subjectAltName!.split(', ');
    expect(names).toEqual([
      `DNS:${hostname().toLowerCase()}`,
      'DNS:localhost',
      'IP Address:127.0.0.1',
      'IP Address:0:0:0:0:0:0:0:1',
      'IP Address:192.168.0.7',
      'IP Address:2001:DB8:0:0:0:0:0:7',
      'DNS:hmi.plant.example',
      'DNS:*.xn--halle-sd-d6a.example',
      'IP Address:10.1.2.3',
    ]);
    const leftOut = log.lines.filter((line) => 'name' in line).map((line) => line['name']);
    expect(leftOut).toEqual(['a b', 'x/y', 'fe80::1%eth0']);
  });

  test('lies in four files, the keys for their owner alone', async () => {
    const { start, folder } = await newMachine();
    const subject = await start();
    expect((await readdir(folder)).sort()).toEqual(['ca.crt', 'ca.key', 'server.crt', 'server.key']);
    for (const name of ['ca.key', 'server.key']) {
      expect((await stat(join(folder, name))).mode & 0o777, name).toBe(0o600);
    }
    expect(await read(folder, 'server.crt')).toBe(subject.credentials().cert);
    expect(await read(folder, 'server.key')).toBe(subject.credentials().key);
    expect(await read(folder, 'ca.crt')).toBe(subject.caCertificate);
    expect(subject.credentials().cert.endsWith(subject.caCertificate!)).toBe(true);
  });

  test('and its CA outlive a restart, even without the key of the CA', async () => {
    const { start, folder } = await newMachine();
    const first = await start();
    await rm(join(folder, 'ca.key'));
    const second = await start();
    expect(second.credentials()).toEqual(first.credentials());
    expect(second.caCertificate).toBe(first.caCertificate);
  });

  test('keeps secrets out of the log', async () => {
    const { start, log } = await newMachine();
    await start();
    expect(JSON.stringify(log.lines)).not.toContain('PRIVATE');
  });

  test('is not made in a folder that cannot be read or written', async () => {
    const { start, folder } = await newMachine();
    await writeFile(folder, '');
    await expect(start()).rejects.toMatchObject({ code: 'certificate-unusable' });
    await rm(folder);
    await mkdir(join(folder, 'ca.key.tmp'), { recursive: true });
    await expect(start()).rejects.toMatchObject({ code: 'data-folder-unusable' });
  });
});

describe('at start', () => {
  const spoil: Record<string, (folder: string) => Promise<unknown>> = {
    'its certificate is absent': (folder) => rm(join(folder, 'server.crt')),
    'its certificate is damaged': (folder) => writeFile(join(folder, 'server.crt'), '-----BEGIN'),
    'its key is absent': (folder) => rm(join(folder, 'server.key')),
    'its key is another one': async (folder) =>
      writeFile(join(folder, 'server.key'), await readFile(join(folder, 'ca.key'))),
  };
  for (const [fault, spoilFile] of Object.entries(spoil)) {
    test(`the pair is made anew by the same CA when ${fault}`, async () => {
      const { start, folder } = await newMachine();
      const first = await start();
      await spoilFile(folder);
      const second = await start();
      expect(second.fingerprint256()).not.toBe(first.fingerprint256());
      expect(second.caCertificate).toBe(first.caCertificate);
    });
  }

  test('the certificate is made anew when a wanted name or address is not in it', async () => {
    const { start, interfaces } = await newMachine();
    const prints = new Set<string>();
    let ca: string | null = null;
    const wider = () => ({ ...interfaces(), wlan0: [card('10.0.0.9', 'IPv4')] });
    for (const changes of [
      {},
      { names: ['*.plant.example'] },
      { names: ['a.plant.example'] },
      { interfaces: wider },
    ]) {
      const subject = await start(changes);
      prints.add(subject.fingerprint256());
      ca ??= subject.caCertificate;
      expect(subject.caCertificate).toBe(ca);
    }
    expect(prints.size).toBe(4);
  });

  test('the certificate stays when a name is no longer wanted', async () => {
    const { start } = await newMachine();
    const first = await start();
    expect((await start({ names: [] })).fingerprint256()).toBe(first.fingerprint256());
  });

  test('the certificate is made anew 30 days before its end, not earlier', async () => {
    const { start, clock } = await newMachine();
    const first = await start();
    const { validToDate } = new X509Certificate(first.credentials().cert);
    clock.setWallClock(validToDate.getTime() - 30 * DAY_MS - 1);
    expect((await start()).fingerprint256()).toBe(first.fingerprint256());
    clock.setWallClock(validToDate.getTime() - 30 * DAY_MS);
    expect((await start()).fingerprint256()).not.toBe(first.fingerprint256());
  });

  test('a certificate from the future, made while the clock was wrong, is made anew', async () => {
    const { start, clock } = await newMachine(NOW + 700 * DAY_MS);
    const first = await start();
    clock.setWallClock(NOW);
    const second = await start();
    expect(second.fingerprint256()).not.toBe(first.fingerprint256());
    expect(second.caCertificate).toBe(first.caCertificate);
  });

  for (const name of ['ca.crt', 'ca.key']) {
    test(`a CA whose ${name} is damaged is replaced when there is something to sign, and the log says so`, async () => {
      const { start, folder, log } = await newMachine();
      const first = await start();
      await writeFile(join(folder, name), 'damaged');
      await rm(join(folder, 'server.crt'));
      const second = await start();
      expect(second.caCertificate).not.toBe(first.caCertificate);
      expect(log.lines.filter((line) => line['level'] === 'warn')).toHaveLength(2);
      const { port } = await serve(second);
      expect((await get({ host: '127.0.0.1', port, ca: second.caCertificate! })).text).toBe('served');
    });
  }

  test('a CA near its end is replaced', async () => {
    const { start, clock } = await newMachine();
    const first = await start();
    clock.setWallClock(new X509Certificate(first.caCertificate!).validToDate.getTime() - 30 * DAY_MS);
    expect((await start()).caCertificate).not.toBe(first.caCertificate);
  });

  test('a CA that was not made here is refused by name', async () => {
    const { start, folder, clock, random } = await newMachine();
    const authority = createAuthority('hmi-7', { clock, random });
    const stranger = createServerCertificate(['hmi-7'], authority, { clock, random });
    await mkdir(folder);
    await writeFile(join(folder, 'ca.crt'), stranger.certificate.toString());
    await writeFile(join(folder, 'ca.key'), stranger.key);
    await expect(start()).rejects.toMatchObject({
      code: 'certificate-unusable',
      message: expect.stringContaining(join(folder, 'ca.crt')) as string,
    });
  });
});

describe('while running', () => {
  test('the certificate is renewed in time: new connections see it, living ones go on', async () => {
    const { start, clock } = await newMachine(NOW - 370 * DAY_MS);
    const subject = await start();
    const { server, port } = await serve(subject);
    subject.onChange((credentials) => server.setSecureContext(tlsOptions(credentials)));
    const ca = subject.caCertificate!;
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const before = await get({ host: '127.0.0.1', port, ca, agent });

    const changed = changeOf(subject);
    clock.setWallClock(NOW - DAY_MS);
    await clock.advance(DAY_MS);
    await changed;

    expect(subject.fingerprint256()).not.toBe(before.fingerprint);
    expect(subject.caCertificate).toBe(ca);
    expect(await get({ host: '127.0.0.1', port, ca, agent })).toEqual({ ...before, reused: true });
    expect((await get({ host: '127.0.0.1', port, ca })).fingerprint).toBe(subject.fingerprint256());
  });

  test('a renewal that fails is logged, and the former certificate stays', async () => {
    const { start, clock, log, folder } = await newMachine(NOW - 370 * DAY_MS);
    const subject = await start();
    const before = subject.credentials();
    await rm(folder, { recursive: true });
    await writeFile(folder, '');
    const failed = nextError(log);
    clock.setWallClock(NOW - DAY_MS);
    await clock.advance(DAY_MS);
    await failed;
    expect(subject.credentials()).toBe(before);
  });

  test('nothing is looked after once closed', async () => {
    const { start, clock, folder } = await newMachine();
    const subject = await start();
    subject.close();
    await rm(folder, { recursive: true });
    await clock.advance(DAY_MS);
    await expect(stat(folder)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

/** Waits for the next error in the log. */
function nextError(log: ReturnType<typeof createMemoryLog>): Promise<Error> {
  const { error } = log;
  return new Promise((resolve) => {
    log.error = (fields, message) => {
      error.call(log, fields, message);
      resolve((fields as { err: Error }).err);
    };
  });
}

describe("the site's own certificate", () => {
  /** A machine whose own certificate is reached through a link, as tools that renew certificates lay it out. */
  async function newSite() {
    const machine = await newMachine();
    const folder = await newFolder();
    const live = join(folder, 'live');
    const ownCertificate: OwnCertificate = {
      certificate: join(live, 'site.crt'),
      key: join(live, 'site.key'),
    };
    const authority = createAuthority('site', machine);
    let version = 0;
    const issue = (clock = machine.clock) =>
      createServerCertificate(['127.0.0.1'], authority, { clock, random: machine.random });
    const install = async (certificate: string, key: string): Promise<void> => {
      const target = join(folder, `${(version += 1)}`);
      await mkdir(target);
      await writeFile(join(target, 'site.crt'), certificate);
      await writeFile(join(target, 'site.key'), key);
      await symlink(target, join(folder, 'new'));
      await rename(join(folder, 'new'), live);
    };
    const installPair = async (pair = issue()) => {
      await install(pair.certificate.toString() + authority.certificate.toString(), pair.key);
      return pair.certificate.fingerprint256;
    };
    const start = () => machine.start({ ownCertificate });
    return { ...machine, authority, ownCertificate, issue, install, installPair, start };
  }

  test('is served as it lies there, and nothing is written', async () => {
    const { installPair, start, authority, folder } = await newSite();
    const fingerprint = await installPair();
    const subject = await start();
    expect(subject.caCertificate).toBeNull();
    await expect(stat(folder)).rejects.toMatchObject({ code: 'ENOENT' });
    const { port } = await serve(subject);
    const answer = await get({ host: '127.0.0.1', port, ca: authority.certificate.toString() });
    expect(answer.fingerprint).toBe(fingerprint);
  });

  test('is read anew when it is replaced', async () => {
    const { installPair, start, clock, authority } = await newSite();
    await installPair();
    const subject = await start();
    const { server, port } = await serve(subject);
    subject.onChange((credentials) => server.setSecureContext(tlsOptions(credentials)));
    const changed = changeOf(subject);
    const fingerprint = await installPair();
    await clock.advance(10_000);
    await changed;
    expect(subject.fingerprint256()).toBe(fingerprint);
    const answer = await get({ host: '127.0.0.1', port, ca: authority.certificate.toString() });
    expect(answer.fingerprint).toBe(fingerprint);
  });

  test('stays in use while its replacement is unusable, which is logged once', async () => {
    const { install, installPair, issue, start, clock, log } = await newSite();
    const fingerprint = await installPair();
    const subject = await start();
    const failed = nextError(log);
    await install('damaged', issue().key);
    await clock.advance(10_000);
    expect(await failed).toMatchObject({ code: 'certificate-unusable' });
    expect(subject.fingerprint256()).toBe(fingerprint);

    // How many looks this takes is the disk's business.
    let done = false;
    void changeOf(subject).then(() => (done = true));
    await clock.advance(10_000);
    const mended = await installPair();
    while (!done) await clock.advance(10_000);
    expect(subject.fingerprint256()).toBe(mended);
    const errors = log.lines.filter((line) => JSON.stringify(line).includes('site.crt is not a certificate'));
    expect(errors).toHaveLength(1);
  });

  test('is refused by name when it cannot be served', async () => {
    const { install, issue, start, ownCertificate } = await newSite();
    const { certificate, key } = issue();
    const pem = certificate.toString();
    const refused = async (path: string): Promise<void> => {
      await expect(start()).rejects.toMatchObject({
        code: 'certificate-unusable',
        message: expect.stringMatching(new RegExp(`^${path} `)) as string,
      });
    };
    await refused(ownCertificate.certificate);
    await install('damaged', key);
    await refused(ownCertificate.certificate);
    await install(`${pem}-----BEGIN CERTIFICATE-----\ndamaged\n-----END CERTIFICATE-----\n`, key);
    await refused(ownCertificate.certificate);
    await install(pem, 'damaged');
    await refused(ownCertificate.key);
    await install(pem, issue().key);
    await refused(ownCertificate.key);
  });

  test('is served with a warning when it has ended, is not valid yet or ends soon', async () => {
    const { installPair, issue, start, log } = await newSite();
    for (const [startMs, message] of [
      [NOW - 400 * DAY_MS, 'the certificate has ended'],
      [NOW - 380 * DAY_MS, 'the certificate ends soon'],
      [NOW + 2 * DAY_MS, 'the certificate is not valid yet'],
    ] as const) {
      const fingerprint = await installPair(issue(createFixedClock(startMs)));
      expect((await start()).fingerprint256()).toBe(fingerprint);
      expect(log.lines.at(-1)).toMatchObject({ level: 'warn', msg: message });
    }
  });

  test('is warned about each day while it ends', async () => {
    const { installPair, start, log, clock } = await newSite();
    await installPair();
    await start();
    clock.setWallClock(NOW + 370 * DAY_MS);
    await clock.advance(2 * DAY_MS);
    expect(log.lines.filter((line) => line['msg'] === 'the certificate ends soon')).toHaveLength(2);
  });
});

describe('a connection', () => {
  async function connect(changes: ConnectionOptions) {
    const { start } = await newMachine();
    const subject = await start();
    const { port } = await serve(subject);
    const socket = tls.connect({ host: '127.0.0.1', port, ca: subject.caCertificate!, ...changes });
    onTestFinished(() => void socket.destroy());
    await once(socket, 'secureConnect');
    return { protocol: socket.getProtocol(), cipher: socket.getCipher().name };
  }

  test('uses TLS 1.3, or TLS 1.2 with forward secrecy and authenticated encryption', async () => {
    expect((await connect({})).protocol).toBe('TLSv1.3');
    expect(await connect({ maxVersion: 'TLSv1.2' })).toEqual({
      protocol: 'TLSv1.2',
      cipher: expect.stringMatching(/^ECDHE-ECDSA-(AES|CHACHA20)/) as string,
    });
  });

  test('is refused below TLS 1.2 and with weak ciphers', async () => {
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' } as const;
    await expect(connect(old)).rejects.toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' });
    const weak = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' } as const;
    await expect(connect(weak)).rejects.toMatchObject({ code: 'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE' });
  });
});
