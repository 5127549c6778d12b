import { rmSync } from 'node:fs';
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { newFolder, startTestHost, type Answer, type TestHost } from '../../../test/host.ts';
import { startS7Server, type S7Server } from '../../../test/s7-server.ts';
import { badInput, expectScenario, GUID, INSTANT, problem, type Scenario } from '../../../test/scenario.ts';

const UNKNOWN = 'eb97a642-78f5-4458-b8ca-036fe70298ef';

const house = await startTestHost();
await house.addUser('adam', { type: 'Admin' });
const { app: hmi } = await house.addApp('HMI');
const { accessToken: token } = await house.signIn('adam');
afterAll(() => house.close());

// Nothing listens on port 1: the links stay offline, which is no concern of these routes.
const link = {
  connection: ' data source = 127.0.0.1:1 , 0 , 2 ',
  area: 'DB250',
  address: 'W188',
  appId: hmi.id.toUpperCase(),
};
const added = {
  id: GUID,
  appId: hmi.id,
  connection: 'Data Source=127.0.0.1:1,0,2',
  area: 'DB250',
  address: 'W188',
  defaultValue: 0,
  onConnect: 'host',
  allowAdmin: false,
  lifeBit: null,
  userName: null,
  signInTime: null,
  request: null,
  acknowledge: null,
};

describe('/api/v1/links', () => {
  const get = { path: '/api/v1/links', ask: { token } };
  const post = (json: unknown): Pick<Scenario, 'method' | 'path' | 'ask'> => ({
    method: 'POST',
    path: '/api/v1/links',
    ask: { token, json },
  });
  const scenarios: Scenario[] = [
    { title: 'lists nothing where there is none', ...get, status: 200, body: [] },
    {
      title: 'adds a link, its connection in one form',
      ...post(link),
      status: 201,
      body: added,
      events: ['LinkChanged'],
      trail: [expect.stringMatching(/^link-added by adam via api of [0-9a-f-]{36} at HMI$/)],
    },
    {
      title: 'lists what was added',
      ...get,
      status: 200,
      body: [added],
      headers: { 'cache-control': 'no-store' },
    },
    {
      title: 'asks for what is needed',
      ...post({}),
      status: 400,
      body: badInput(
        'connection: is missing',
        'area: is missing',
        'address: is missing',
        'appId: is missing',
      ),
    },
    {
      title: 'names the limits',
      ...post({
        ...link,
        connection: 'x'.repeat(257),
        defaultValue: -1,
        onConnect: 'both',
        allowAdmin: 'no',
      }),
      status: 400,
      body: badInput(
        'connection: must have at most 256 characters',
        'defaultValue: must be at least 0',
        'onConnect: must be one of host, plc',
        'allowAdmin: must be true or false',
      ),
    },
    {
      title: 'says what a connection string looks like',
      ...post({ ...link, connection: '127.0.0.1' }),
      status: 400,
      body: badInput('connection: must begin with "Data Source=". Example: Data Source=127.0.0.1:102,0,2'),
    },
    {
      title: 'says that a value is too large for its address',
      ...post({ ...link, defaultValue: 65_536 }),
      status: 400,
      body: badInput('defaultValue: W188 takes whole numbers from 0 to 65535, not 65536'),
    },
    {
      title: 'names all that is wrong at once',
      ...post({
        ...link,
        ...{ connection: '127.0.0.1', address: 'S190.32', defaultValue: 70_000 },
        ...{ lifeBit: 'W2', userName: 'S10.300', signInTime: 'W4', request: 'X8', acknowledge: 'W65535' },
      }),
      status: 400,
      body: badInput(
        'connection: must begin with "Data Source=". Example: Data Source=127.0.0.1:102,0,2',
        'address: "S190.32" is not spelt like W188, B188, D188, X1507',
        'lifeBit: "W2" is not spelt like X1507',
        'userName: "S10.300" is no string of 1 to 254 characters',
        'signInTime: "W4" is not spelt like DTL224, DT224',
        'request: "X8" is not spelt like W188, B188, D188',
        'acknowledge: "W65535" reaches beyond the area: W65534 is the last word',
      ),
    },
    {
      title: 'does not know every app',
      ...post({ ...link, appId: UNKNOWN }),
      status: 404,
      body: problem(404, 'not-found', { detail: `No app has the id ${UNKNOWN}.` }),
    },
  ];
  test.each(scenarios)('$title', async (scenario) => {
    await expectScenario(house, scenario);
  });
});

const EXTRAS = {
  lifeBit: 'X1920',
  userName: 'S190.32',
  signInTime: 'DTL224',
  request: 'W236',
  acknowledge: 'W238',
};
/** Longer than any recovery, for a machine that is busy with other tests. */
const WAIT = { timeout: 20_000, interval: 5 };

interface Plant {
  readonly host: TestHost;
  readonly plc: S7Server;
  readonly appId: string;
  /** A link to the PLC at DB250.W188, as it is asked for. */
  readonly link: Readonly<Record<string, unknown>>;
  ask(method: string, path: string, json?: unknown): Promise<Answer>;
  /** Adds a link with these changes; resolves with its id once the PLC is there. */
  add(changes?: Readonly<Record<string, unknown>>): Promise<string>;
  /** Resolves when the PLC holds the value. */
  holds(offset: number, value: number): Promise<void>;
}

/** A host and a PLC: olivia's data is 5, sam's 9. */
async function openPlant({
  dataFolder,
  pollIntervalMs = 10,
}: { dataFolder?: string; pollIntervalMs?: number } = {}): Promise<Plant> {
  const plc = await startS7Server();
  const config = { 'plc.pollIntervalMs': String(pollIntervalMs) };
  const host = await startTestHost({ config, ...(dataFolder !== undefined && { dataFolder }) });
  onTestFinished(async () => {
    await host.close();
    await plc.close();
  });
  await host.addUser('adam', { type: 'Admin' });
  await host.addUser('olivia');
  await host.addUser('sam');
  const { app } = await host.addApp('HMI', { users: { olivia: '5', sam: '9' } });
  const { accessToken } = await host.signIn('adam');
  const definition = {
    ...{ connection: `Data Source=127.0.0.1:${plc.port},0,2`, area: 'DB250', address: 'W188' },
    appId: app.id,
  };
  const ask: Plant['ask'] = (method, path, json) =>
    host.ask(method, path, { token: accessToken, ...(json !== undefined && { json }) });
  return {
    ...{ host, plc, ask, appId: app.id, link: definition },
    async add(changes = {}) {
      const { body } = await ask('POST', '/api/v1/links', { ...definition, ...changes });
      const { id } = body as { id: string };
      const isOnline = (): boolean =>
        host.features.links.status().some((status) => status.id === id && status.state === 'online');
      await vi.waitFor(() => expect(isOnline()).toBe(true), WAIT);
      return id;
    },
    holds: (offset, value) => vi.waitFor(async () => expect(await plc.getWord(offset)).toBe(value), WAIT),
  };
}

async function textAt(plc: S7Server, offset: number): Promise<string> {
  const length = await plc.getByte(offset + 1);
  const codes: number[] = [];
  for (let at = 0; at < length; at += 1) codes.push(await plc.getByte(offset + 2 + at));
  return String.fromCharCode(...codes);
}

describe('a link with all that it can have', () => {
  test('keeps name and sign-in time of the current user in the PLC, and nobody is an empty name', async () => {
    const { host, plc, appId, add, holds } = await openPlant();
    await add(EXTRAS);
    await holds(224, 1970);
    await host.signIn('olivia', appId);
    await holds(188, 5);
    await vi.waitFor(async () => expect(await textAt(plc, 190)).toBe('olivia'), WAIT);
    const at = new Date(host.features.sessions.ofApp(appId)?.openedAt ?? 0);
    await holds(224, at.getUTCFullYear());
    expect(await plc.getByte(226)).toBe(at.getUTCMonth() + 1);
    expect(await plc.getDoubleWord(232)).toBe(at.getUTCMilliseconds() * 1e6);
    await host.features.sessions.endAtApp(appId, 'signed-out', {
      name: 'olivia',
      door: 'api',
      address: null,
    });
    await vi.waitFor(async () => expect(await textAt(plc, 190)).toBe(''), WAIT);
    await holds(224, 1970);
  });

  test('toggles its life bit, and no other bit of the byte', async () => {
    const { plc, add } = await openPlant();
    await plc.setByte(240, 0b10);
    await add(EXTRAS);
    for (const value of [0b11, 0b10, 0b11]) {
      await vi.waitFor(async () => expect(await plc.getByte(240)).toBe(value), WAIT);
    }
  });

  test('serves a badge reader: signs in, answers, and takes the answer back', async () => {
    const { host, plc, add, holds } = await openPlant();
    await add(EXTRAS);
    await host.trail();
    await plc.setWord(236, 5);
    await holds(238, 1);
    await holds(188, 5);
    await plc.setWord(236, 0);
    await holds(238, 0);
    await plc.setWord(236, 77);
    await holds(238, 2);
    await plc.setWord(236, 0);
    await holds(238, 0);
    expect(await host.trail()).toEqual([
      expect.stringMatching(/^sign-in by PLC link [0-9a-f-]{36} via plc of olivia at HMI \(plc\)$/),
    ]);
  });

  test('takes its default value as a request for sign-out', async () => {
    const { host, plc, appId, add, holds } = await openPlant();
    await add({ ...EXTRAS, defaultValue: 99 });
    await host.signIn('olivia', appId);
    await holds(188, 5);
    await plc.setWord(236, 99);
    await holds(238, 1);
    await holds(188, 99);
    expect(host.features.sessions.ofApp(appId)).toBeNull();
  });

  test('refuses a request for an administrator', async () => {
    const { host, plc, appId, add, holds } = await openPlant();
    const adam = await host.features.users.byName('adam');
    const app = host.features.apps.byId(appId);
    const actor = { name: 'test', door: 'host', address: null } as const;
    await host.features.apps.grant(app!, adam!, '1', actor);
    await add(EXTRAS);
    await plc.setWord(236, 1);
    await holds(238, 3);
    expect(host.features.sessions.ofApp(appId)).toBeNull();
  });

  test('does not serve a second time what the host had taken on before it died: ask again, it answers', async () => {
    const dataFolder = newFolder();
    onTestFinished(() => rmSync(dataFolder, { recursive: true, force: true }));
    const { host, plc, add, holds } = await openPlant({ dataFolder });
    await add(EXTRAS);
    const { store } = host.features;
    await store.write((writer) => writer.updateTable('links').set({ request_taken: 5 }).execute());
    await host.close();
    await plc.setWord(236, 5);
    await using next = await startTestHost({ dataFolder, config: { 'plc.pollIntervalMs': '10' } });
    await holds(238, 4);
    expect(next.features.sessions.list().filter(({ app }) => app !== null)).toEqual([]);
    await plc.setWord(236, 0);
    await holds(238, 0);
    await plc.setWord(236, 5);
    await holds(238, 1);
    await holds(188, 5);
  });

  test('is degraded where the PLC refuses one of them, and its word goes on', async () => {
    const { host, appId, link, add, ask, holds } = await openPlant();
    const id = await add();
    await ask('PUT', `/api/v1/links/${id}`, { ...link, userName: 'S600.32' });
    await vi.waitFor(() => {
      const [status] = host.features.links.status();
      expect(status).toMatchObject({ state: 'degraded', lastError: { code: 'plc-refused' } });
    }, WAIT);
    await host.signIn('olivia', appId);
    await holds(188, 5);
  });
});

describe('the status of the links', () => {
  test('tells the PLC, whom the word means, and the round trips', async () => {
    const { host, link, appId, add, ask, holds } = await openPlant();
    const id = await add();
    await host.signIn('olivia', appId);
    await holds(188, 5);
    await vi.waitFor(async () => {
      const { status, body } = await ask('GET', '/api/v1/links/status');
      expect(status).toBe(200);
      expect(body).toEqual([
        {
          ...{ id, appId, connection: link['connection'], area: 'DB250', address: 'W188' },
          ...{ state: 'online', since: INSTANT, valueAt: INSTANT, value: 5, user: 'olivia' },
          plc: { type: expect.stringMatching(/./) as string, name: expect.anything() as string },
          roundTripMs: expect.any(Number) as number,
          roundTripsMs: expect.toSatisfy((all: unknown[]) => all.length === 120) as number[],
          ...{ errorsLastHour: 0, pending: false, lastError: null },
        },
      ]);
    }, WAIT);
  });
});

describe('changing a link', () => {
  test('is audited with what it was and what it is', async () => {
    const { host, link, add, ask } = await openPlant();
    const id = await add({ defaultValue: 3 });
    await host.trail();
    const { status, body } = await ask('PUT', `/api/v1/links/${id}`, { ...link, lifeBit: ' x1920 ' });
    expect(status).toBe(200);
    expect(body).toEqual({ ...added, id, ...link, lifeBit: 'X1920' });
    expect((await ask('GET', '/api/v1/links')).body).toEqual([body]);
    expect(await host.trail()).toEqual([`link-changed by adam via api of ${id} at HMI`]);
    const [entry] = await host.features.audit.newest(1);
    expect(entry?.detail).toEqual({
      before: { defaultValue: 3, lifeBit: null },
      after: { defaultValue: 0, lifeBit: 'X1920' },
    });
  });

  test('loses no edge of the PLC at the same word', async () => {
    // Rarely enough for the change to come before the edge is read.
    const { host, plc, link, appId, add, ask } = await openPlant({ pollIntervalMs: 1500 });
    const id = await add();
    await plc.setWord(188, 9);
    expect((await ask('PUT', `/api/v1/links/${id}`, { ...link, allowAdmin: true })).status).toBe(200);
    await vi.waitFor(() => expect(host.features.sessions.ofApp(appId)?.user.name).toBe('sam'), WAIT);
  });

  test('to another word leaves the old one, and its app, as they are', async () => {
    const { host, plc, link, appId, add, ask, holds } = await openPlant();
    const id = await add();
    await host.signIn('olivia', appId);
    await holds(188, 5);
    await ask('PUT', `/api/v1/links/${id}`, { ...link, address: 'W180' });
    await holds(180, 5);
    expect(await plc.getWord(188)).toBe(5);
    expect(host.features.sessions.ofApp(appId)?.user.name).toBe('olivia');
    await plc.setWord(180, 9);
    await vi.waitFor(() => expect(host.features.sessions.ofApp(appId)?.user.name).toBe('sam'), WAIT);
    expect(await plc.getWord(188)).toBe(5);
  });

  test('is refused with faults, and for a link that is not there', async () => {
    const { link, add, ask } = await openPlant();
    const id = await add();
    expect((await ask('PUT', `/api/v1/links/${id}`, { ...link, request: 'W2' })).body).toEqual(
      badInput('acknowledge: is needed with request: set both or neither'),
    );
    expect((await ask('PUT', `/api/v1/links/${UNKNOWN}`, link)).body).toEqual(
      problem(404, 'not-found', { detail: `No link has the id ${UNKNOWN}.` }),
    );
  });
});

describe('removing a link', () => {
  test('lets go of its PLC, leaves the word, and is audited', async () => {
    const { host, plc, appId, add, ask, holds } = await openPlant();
    const id = await add();
    await host.signIn('olivia', appId);
    await holds(188, 5);
    await host.trail();
    expect((await ask('DELETE', `/api/v1/links/${id}`)).status).toBe(204);
    expect((await ask('GET', '/api/v1/links')).body).toEqual([]);
    expect((await ask('GET', '/api/v1/links/status')).body).toEqual([]);
    expect(await host.trail()).toEqual([`link-removed by adam via api of ${id} at HMI`]);
    await host.signIn('sam', appId);
    expect(await plc.getWord(188)).toBe(5);
    expect((await ask('DELETE', `/api/v1/links/${id}`)).status).toBe(404);
  });
});

describe('testing a link', () => {
  test('tells what is there, and whom the word means', async () => {
    const { plc, link, ask } = await openPlant();
    await plc.setWord(188, 9);
    const { status, body } = await ask('POST', '/api/v1/links/test', { ...link, ...EXTRAS });
    expect(status).toBe(200);
    const ok = { outcome: 'ok', tookMs: expect.any(Number) as number };
    expect(body).toEqual({
      steps: ['reach', 'connect', 'negotiate', 'read'].map((step) => ({ step, ...ok })),
      plc: { type: expect.stringMatching(/./) as string, name: expect.anything() as string },
      pduBytes: expect.any(Number) as number,
      found: [
        { field: 'address', address: 'W188', value: 9, problem: null },
        { field: 'lifeBit', address: 'X1920', value: 0, problem: null },
        { field: 'userName', address: 'S190.32', value: '', problem: null },
        { field: 'signInTime', address: 'DTL224', value: null, problem: null },
        { field: 'request', address: 'W236', value: 0, problem: null },
        { field: 'acknowledge', address: 'W238', value: 0, problem: null },
      ],
      ...{ user: 'sam', advice: 'none', message: null },
    });
  });

  test('tells which item is refused, and that nobody answers', async () => {
    const { host, plc, link, ask } = await openPlant();
    const short = await ask('POST', '/api/v1/links/test', { ...link, lifeBit: 'X8000' });
    expect(short.body).toMatchObject({
      steps: [{ outcome: 'ok' }, { outcome: 'ok' }, { outcome: 'ok' }, { step: 'read', outcome: 'failed' }],
      found: [
        { field: 'address', value: 0, problem: null },
        {
          field: 'lifeBit',
          value: null,
          problem: expect.stringMatching(/^(block-too-short|item-refused)$/) as string,
        },
      ],
      user: null,
    });
    await plc.kill();
    const gone = await ask('POST', '/api/v1/links/test', link);
    expect(gone.body).toMatchObject({
      steps: [{ step: 'reach', outcome: 'failed' }, ...Array<object>(3).fill({ outcome: 'skipped' })],
      ...{ plc: null, pduBytes: null, user: null, advice: 'connection-refused' },
      found: [{ field: 'address', address: 'W188', value: null, problem: null }],
    });
    expect(await host.features.links.list()).toEqual([]);
  });
});

describe('writing the default value', () => {
  test('ends the session at the app, writes, and answers when the PLC has confirmed', async () => {
    const { host, plc, appId, add, ask, holds } = await openPlant();
    const id = await add({ defaultValue: 3 });
    await host.signIn('olivia', appId);
    await holds(188, 5);
    await host.trail();
    expect((await ask('POST', `/api/v1/links/${id}/write-default`)).status).toBe(204);
    expect(await plc.getWord(188)).toBe(3);
    expect(await host.trail()).toEqual([
      `link-default-written by adam via api of ${id} at HMI`,
      'session-ended by adam via api of olivia at HMI (ended-by-administrator)',
    ]);
  });

  test('writes where nobody is signed in as well', async () => {
    const { plc, add, ask } = await openPlant();
    const id = await add({ defaultValue: 3 });
    expect((await ask('POST', `/api/v1/links/${id}/write-default`)).status).toBe(204);
    expect(await plc.getWord(188)).toBe(3);
  });

  test('says that the PLC is away, and has ended the session all the same', async () => {
    const { host, plc, appId, add, ask } = await openPlant();
    const id = await add();
    await plc.kill();
    await vi.waitFor(() => expect(host.features.links.status()[0]?.state).toBe('backing-off'), WAIT);
    await host.signIn('olivia', appId);
    const { status, body } = await ask('POST', `/api/v1/links/${id}/write-default`);
    expect([status, body]).toEqual([502, problem(502, 'plc-unreachable')]);
    expect(host.features.sessions.ofApp(appId)).toBeNull();
  });
});
