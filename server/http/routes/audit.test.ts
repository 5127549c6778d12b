import { request } from 'node:https';
import { afterAll, describe, expect, test } from 'vitest';
import { PASSWORD, startTestHost } from '../../../test/host.ts';
import { badInput, expectScenario, INSTANT, problem, type Scenario } from '../../../test/scenario.ts';
import type { AuditEntryView, AuditPageView, AuditStatusView } from '../contract.ts';

const house = await startTestHost();
await house.addUser('adam', { type: 'Admin' });
await house.addUser('olivia');
const { app: hmi } = await house.addApp('HMI', { users: { olivia: '5' } });
const { accessToken: token } = await house.signIn('adam');
await house.signIn('olivia', hmi.id);
await house.ask('POST', '/api/v1/sign-in', {
  json: { username: 'olivia', password: 'wrong', appId: hmi.id },
});
afterAll(() => house.close());

const page = async (query: string): Promise<AuditPageView> =>
  (await house.ask('GET', `/api/v1/audit?${query}`, { token })).body as AuditPageView;
const inWords = ({ action, actor, app }: AuditEntryView): string => `${action} by ${actor} at ${app}`;

describe('GET /api/v1/audit', () => {
  test('answers the newest entries first, each with all there is', async () => {
    const { entries } = await page('limit=2');
    expect(entries.map(inWords)).toEqual(['sign-in-refused by anonymous at HMI', 'sign-in by olivia at HMI']);
    expect(entries[0]).toEqual({
      seq: expect.any(Number) as number,
      at: INSTANT,
      action: 'sign-in-refused',
      outcome: 'refused',
      actor: 'anonymous',
      subject: 'olivia',
      app: 'HMI',
      door: 'api',
      address: '127.0.0.1',
      reason: 'wrong-password',
      detail: expect.any(Object) as object,
      hash: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    });
  });

  test('goes on where the page before ended, until there is nothing older', async () => {
    const all = (await page('limit=200')).entries;
    const walked: AuditEntryView[] = [];
    for (let next: number | null = 1_000_000; next !== null;) {
      const one: AuditPageView = await page(`limit=3&before=${next}`);
      walked.push(...one.entries);
      expect(one.searchedBackTo).toEqual(one.next === null ? null : INSTANT);
      next = one.next;
    }
    expect(walked).toEqual(all);
  });

  test.each([
    [
      'user=olivia&outcome=succeeded&app=HMI',
      ['sign-in by olivia at HMI', 'app-user-granted by host at HMI'],
    ],
    ['outcome=refused', ['sign-in-refused by anonymous at HMI']],
    ['text=WRONG-pass', ['sign-in-refused by anonymous at HMI']],
    ['to=2020-01-01T00:00:00Z', []],
    [
      `from=${encodeURIComponent('2020-01-01T00:00:00+02:00')}&text=wrong-pass`,
      ['sign-in-refused by anonymous at HMI'],
    ],
    ['user=nobody', []],
  ])('takes every filter: %s', async (query, expected) => {
    expect((await page(query)).entries.map(inWords)).toEqual(expected);
  });

  const scenarios: Scenario[] = [
    {
      title: 'names every fault of its parameters at once',
      path: '/api/v1/audit?from=yesterday&outcome=good&limit=201&before=0&text=&user=&colour=red',
      ask: { token },
      status: 400,
      body: badInput(
        'from: must be a time such as 2026-01-31T06:00:00Z',
        'user: must not be empty',
        'outcome: must be one of succeeded, refused',
        'text: must not be empty',
        'before: must be at least 1',
        'limit: must be at most 200',
        'colour: is not a known field',
      ),
    },
    {
      title: 'refuses a time that ends before it begins',
      path: '/api/v1/audit?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z',
      ask: { token },
      status: 400,
      body: badInput('from: must not be after to'),
    },
    {
      title: 'refuses a parameter that comes twice, and a number that is none',
      path: '/api/v1/audit?app=a&app=b&limit=ten',
      ask: { token },
      status: 400,
      body: badInput('app: must be text', 'limit: must be a number'),
    },
  ];
  test.each(scenarios)('$title', async (scenario) => void (await expectScenario(house, scenario)));
});

describe('every path of the trail', () => {
  const paths = [
    ['GET', '/api/v1/audit'],
    ['GET', '/api/v1/audit/export?format=csv'],
    ['GET', '/api/v1/audit/status'],
    ['POST', '/api/v1/audit/verify'],
  ] as const;
  test.each(paths)('%s %s is for administrators alone', async (method, path) => {
    const { accessToken } = await house.signIn('olivia');
    await expectScenario(house, {
      title: '',
      method,
      path,
      status: 401,
      body: problem(401, 'not-signed-in'),
    });
    await expectScenario(house, {
      ...{ title: '', method, path, ask: { token: accessToken } },
      ...{ status: 403, body: problem(403, 'forbidden'), absent: ['olivia'] },
    });
  });
});

describe('GET /api/v1/audit/export', () => {
  test('answers the filtered set as CSV, and is recorded with its filters', async () => {
    await house.trail();
    const { status, headers, text } = await house.ask(
      'GET',
      '/api/v1/audit/export?format=csv&outcome=refused&from=2026-01-01T00:00:00Z',
      { token },
    );
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': expect.stringMatching(
        /^attachment; filename="keyswitch-audit-\d{4}-\d\d-\d\d\.csv"$/,
      ) as string,
      'cache-control': 'no-store',
    });
    const [head, ...lines] = text.split('\r\n');
    expect(head).toBe('seq,at,action,outcome,actor,subject,app,door,address,reason,detail,hash');
    expect(lines.map((line) => line.split(',')[2])).toEqual(['sign-in-refused', undefined]);
    const [row] = await house.features.audit.newest(1);
    expect(row).toMatchObject({
      action: 'audit-exported',
      actor: 'adam',
      detail: { format: 'csv', outcome: 'refused', from: '2026-01-01T00:00:00.000Z' },
    });
  });

  test('answers all there was when it was asked for, page after page, as JSON Lines', async () => {
    const { audit, store } = house.features;
    const actor = { name: 'host', door: 'host', address: null } as const;
    await store.write(async (writer) => {
      for (let i = 0; i < 1000; i += 1) await audit.append(writer, { action: 'host-started', actor });
    });
    const { lastSeq } = audit.status();
    const { text, headers } = await house.ask('GET', '/api/v1/audit/export?format=jsonl', { token });
    expect(headers['content-type']).toBe('application/x-ndjson; charset=utf-8');
    const seqs = text
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { seq: number }).seq);
    expect(seqs).toEqual(Array.from({ length: lastSeq }, (_, i) => lastSeq - i));
  });

  test('breaks off, so that nobody takes it for the whole, when its administrator is signed out', async () => {
    await house.addUser('eve', { type: 'Admin' });
    const { accessToken, sessionId } = await house.signIn('eve');
    const { audit, store, sessions } = house.features;
    const actor = { name: 'host', door: 'host', address: null } as const;
    await store.write(async (writer) => {
      for (let i = 0; i < 6000; i += 1) {
        await audit.append(writer, { action: 'host-started', actor, detail: { text: 'x'.repeat(2000) } });
      }
    });
    const broken = await new Promise<boolean>((resolve, reject) => {
      const asking = request(
        `${house.url}/api/v1/audit/export?format=jsonl`,
        { ca: house.ca, headers: { Authorization: `Bearer ${accessToken}` } },
        (response) => {
          // Nothing is read until the session is over: what waits on the way is far less than the whole.
          void sessions.end(sessionId, 'signed-out', actor).then(() => {
            response.on('data', () => {});
            response.on('end', () => resolve(false));
            response.on('error', () => resolve(true));
          });
        },
      );
      asking.on('error', reject);
      asking.end();
    });
    expect(broken).toBe(true);
  }, 20_000);

  test('asks for a format', async () => {
    await expectScenario(house, {
      ...{ title: '', path: '/api/v1/audit/export?limit=3', ask: { token }, status: 400 },
      body: badInput('format: is missing', 'limit: is not a known field'),
    });
  });
});

describe('POST /api/v1/audit/verify', () => {
  test('starts to verify, and the status tells what came of it', async () => {
    const status = async (): Promise<AuditStatusView> =>
      (await house.ask('GET', '/api/v1/audit/status', { token })).body as AuditStatusView;
    const { body } = await house.ask('POST', '/api/v1/audit/verify', { token });
    expect((body as AuditStatusView).verification).toMatchObject({ state: 'running', brokenSeq: null });
    await expect
      .poll(async () => (await status()).verification, { timeout: 15_000 })
      .toMatchObject({ state: 'intact', at: INSTANT, problem: null });
    expect(await status()).toMatchObject({
      capacity: { state: 'ok', freeMiB: expect.any(Number) as number },
      copies: [],
      archives: 0,
      lastSeq: expect.any(Number) as number,
    });
  });
});

describe('a disk that fills up', () => {
  const MIB = 1_048_576;

  test('is told, then nobody new is let in, whoever is in goes on and out, and room brings all back', async () => {
    let mib = 500;
    await using full = await startTestHost({ freeBytes: async () => mib * MIB });
    await full.addUser('adam', { type: 'Admin' });
    await full.addUser('olivia');
    const { app } = await full.addApp('HMI', { users: { olivia: '5' } });
    const { capacity } = full.features;
    const storage = async (): Promise<unknown> =>
      ((await full.ask('GET', '/healthz')).body as { storage: unknown }).storage;
    const signIn = () =>
      full.ask('POST', '/api/v1/sign-in', { json: { username: 'olivia', password: PASSWORD } });

    expect(await storage()).toBe('low');
    const adam = await full.signIn('adam');
    const { accessToken: olivia } = await full.signIn('olivia', app.id);
    mib = 63;
    await capacity.check();
    expect(full.events().at(-1)).toBe('StorageChanged reserve');
    expect(await storage()).toBe('reserve');
    await expectScenario(full, {
      ...{ title: '', method: 'POST', path: '/api/v1/sign-in' },
      ask: { json: { username: 'olivia', password: PASSWORD } },
      ...{ status: 503, body: problem(503, 'storage-full'), trail: [] },
    });
    const { body } = await full.ask('GET', '/api/v1/audit/status', { token: adam.accessToken });
    expect((body as AuditStatusView).capacity).toEqual({ state: 'reserve', freeMiB: 63 });
    await full.trail();
    expect((await full.ask('POST', '/api/v1/sign-out', { token: olivia })).status).toBe(204);
    expect(await full.trail()).toEqual(['session-ended by olivia via api of olivia at HMI (signed-out)']);

    mib = 2000;
    await capacity.check();
    expect(await storage()).toBe('ok');
    expect((await signIn()).status).toBe(200);
  });
});
