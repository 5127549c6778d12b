import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createAuthority, createServerCertificate } from './http/certificates.ts';
import { createFixedClock, createSystemClock } from './ports/clock.ts';
import { createSystemRandom } from './ports/random.ts';
import { newFolder, PASSWORD, startTestHost, type TestHost } from '../test/host.ts';
import { ONE_TIME_SECRET } from '../test/scenario.ts';
import { connect } from '../test/socket.ts';

function keptFolder(): string {
  const folder = newFolder();
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A port that is taken for the length of the test. */
async function takenPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

const statusOf = async (house: TestHost, ask: { token?: string; cookie?: string }) =>
  (await house.ask('GET', '/api/v1/session', ask)).status;

describe('a host that starts', () => {
  test('makes an administrator whose secret is told once and stands nowhere', async () => {
    const dataFolder = keptFolder();
    const house = await startTestHost({ dataFolder });
    const { username, oneTimeSecret } = house.host.firstRun.administrator!;
    expect({ username, oneTimeSecret }).toEqual({
      username: 'Administrator',
      oneTimeSecret: ONE_TIME_SECRET,
    });
    const asked = await house.ask('POST', '/api/v1/sign-in', { json: { username, password: oneTimeSecret } });
    const { ticket } = asked.body as { ticket: string };
    const changed = await house.ask('POST', '/api/v1/password-change', {
      json: { ticket, newPassword: PASSWORD },
    });
    expect([asked.status, changed.status]).toEqual([403, 200]);
    await house.close();
    const files = readdirSync(dataFolder, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    const kept = files.map((file) => readFileSync(join(file.parentPath, file.name), 'latin1')).join();
    for (const secret of [oneTimeSecret, PASSWORD, ticket]) {
      expect(kept).not.toContain(secret);
      expect(JSON.stringify(house.log.lines)).not.toContain(secret);
    }
    await using again = await startTestHost({ dataFolder });
    expect(again.host.firstRun).toEqual({ administrator: null, sample: null });
  });

  test('tells the command line where it is in a file for its account alone, as long as it runs', async () => {
    const dataFolder = keptFolder();
    writeFileSync(join(dataFolder, 'control.json'), 'left behind', { mode: 0o666 });
    const house = await startTestHost({ dataFolder });
    const file = join(dataFolder, 'control.json');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
      url: house.url,
      pid: process.pid,
      key: expect.stringMatching(/^[\w-]{43}$/),
      trust: house.ca,
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await house.close();
    expect(existsSync(file)).toBe(false);
  });

  test('is recorded, and so is that it stops', async () => {
    const dataFolder = keptFolder();
    await (await startTestHost({ dataFolder })).close();
    await using house = await startTestHost({ dataFolder });
    const rows = await house.features.audit.newest(100);
    const seen = rows
      .reverse()
      .map(({ action }) => action)
      .filter((action) => action.startsWith('host-'));
    expect(seen).toEqual(['host-started', 'host-stopped', 'host-started']);
  });

  const faults: [title: string, config: () => Promise<Record<string, string>>, code: string, text: RegExp][] =
    [
      [
        'a port that is taken',
        async () => ({ 'http.port': String(await takenPort()) }),
        'port-in-use',
        /^Another program listens on 127\.0\.0\.1:\d+\. Stop it, or set http\.port\.$/,
      ],
      [
        'an address that is not of this machine',
        async () => ({ 'http.host': '192.0.2.1' }),
        'address-unavailable',
        /^Cannot listen on 192\.0\.2\.1:0 \(EADDRNOTAVAIL\)\. Set http\.host to an address of this machine\.$/,
      ],
      [
        'a certificate that is not there',
        async () => ({ 'http.certificate': 'no.crt', 'http.certificateKey': 'no.key' }),
        'certificate-unusable',
        /no\.(crt|key) cannot be read/,
      ],
    ];
  test.each(faults)(
    'on %s says so, lets go of the folder, and keeps the first secret for the next start',
    async (_, config, code, text) => {
      const dataFolder = keptFolder();
      await expect(startTestHost({ dataFolder, config: await config() })).rejects.toMatchObject({
        code,
        message: expect.stringMatching(text),
      });
      expect(existsSync(join(dataFolder, 'control.json'))).toBe(false);
      await using house = await startTestHost({ dataFolder });
      const { username = '', oneTimeSecret = '' } = house.host.firstRun.administrator ?? {};
      const { body } = await house.ask('POST', '/api/v1/sign-in', {
        json: { username, password: oneTimeSecret },
      });
      expect(body).toMatchObject({ code: 'password-change-required' });
    },
  );

  test('on a folder that another one holds is refused, and the other one goes on', async () => {
    const dataFolder = keptFolder();
    await using house = await startTestHost({ dataFolder });
    await expect(startTestHost({ dataFolder })).rejects.toMatchObject({ code: 'data-folder-in-use' });
    expect((await house.ask('GET', '/healthz')).status).toBe(200);
    expect(existsSync(join(dataFolder, 'control.json'))).toBe(true);
  });

  test("shows a site's own certificate, and trusts it alone on the way in of the command line", async () => {
    const dataFolder = keptFolder();
    const random = createSystemRandom();
    const making = { random, clock: createSystemClock() };
    const authority = createAuthority('plant', making);
    const { certificate, key } = createServerCertificate(['hmi.plant.example'], authority, making);
    writeFileSync(join(dataFolder, 'own.crt'), certificate.toString() + authority.certificate.toString());
    writeFileSync(join(dataFolder, 'own.key'), key);
    await using house = await startTestHost({
      dataFolder,
      config: { 'http.certificate': 'own.crt', 'http.certificateKey': 'own.key' },
    });
    expect(house.host.tls.fingerprint256()).toBe(certificate.fingerprint256);
    expect(existsSync(join(dataFolder, 'tls'))).toBe(false);
    const { trust } = JSON.parse(readFileSync(join(dataFolder, 'control.json'), 'utf8')) as { trust: string };
    expect(trust).toBe(certificate.toString());
  });
});

describe('a host that stops', () => {
  test('keeps every session for the next start, and those that were ended stay ended', async () => {
    const dataFolder = keptFolder();
    const first = await startTestHost({ dataFolder });
    await first.addUser('olivia');
    const { app } = await first.addApp('HMI', { users: { olivia: '5' } });
    const bearer = await first.signIn('olivia');
    const atApp = await first.signIn('olivia', app.id);
    const cookie = await first.signInForCookie('olivia');
    const ended = await first.signInForCookie('olivia');
    await first.ask('POST', '/api/v1/sign-out', { cookie: ended });
    await first.close();

    await using second = await startTestHost({ dataFolder });
    expect(await statusOf(second, { token: bearer.accessToken })).toBe(200);
    expect(await statusOf(second, { token: atApp.accessToken })).toBe(200);
    expect(await statusOf(second, { cookie })).toBe(200);
    expect(await statusOf(second, { cookie: ended })).toBe(401);
    const state = await second.ask('GET', `/api/v1/apps/${app.id}/state`);
    expect(state.body).toMatchObject({ authenticated: true, user: 'olivia', role: '5' });
    const { refreshToken } = bearer;
    expect((await second.ask('POST', '/api/v1/refresh', { json: { refreshToken } })).status).toBe(200);
  });

  test('lets sessions end that fall due while it is off', async () => {
    const dataFolder = keptFolder();
    const clock = createFixedClock();
    const first = await startTestHost({ dataFolder, clock });
    await first.addUser('olivia');
    const { app } = await first.addApp('HMI', { users: { olivia: '5' }, logoutTimeInMin: 10 });
    const { accessToken } = await first.signIn('olivia', app.id);
    const cookie = await first.signInForCookie('olivia');
    await first.close();

    const later = createFixedClock(clock.now() + 15 * 60_000);
    await using second = await startTestHost({ dataFolder, clock: later });
    const ended = second.features.sessions.list().length === 0 ? null : second.published('SessionEnded', 2);
    await later.advance(0);
    await ended;
    expect(await statusOf(second, { token: accessToken })).toBe(401);
    expect(await statusOf(second, { cookie })).toBe(401);
    const rows = await second.features.audit.newest(100);
    const ends = rows
      .filter(({ action }) => action === 'session-ended')
      .map(({ reason, app: at }) => [reason, at]);
    expect(ends.sort()).toEqual([
      ['idle', null],
      ['time-limit', 'HMI'],
    ]);
  });

  test('leaves one database file, its write-ahead log worked in', async () => {
    const dataFolder = keptFolder();
    await (await startTestHost({ dataFolder })).close();
    const left = readdirSync(dataFolder).filter((name) => name.startsWith('keyswitch.db'));
    expect(left).toEqual(['keyswitch.db']);
  });

  test('stops once, however often it is told', async () => {
    const house = await startTestHost();
    const socket = await connect(house);
    await Promise.all([house.host.close(), house.host.close()]);
    expect(await socket.closed).toEqual({ code: 1001, reason: 'the host is stopping' });
    await house.close();
    await expect(house.ask('GET', '/healthz')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
