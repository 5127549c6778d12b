import { expect, test } from 'vitest';
import { createApi } from '../shared/api.ts';
import { HostClock } from '../shared/host-clock.svelte.ts';
import { createLine } from '../shared/live.svelte.ts';
import { APP_ID, createTestPorts, iso, json, problem, START_MS, type Answers } from '../shared/testing.ts';
import { Links } from './links.svelte.ts';
import { createLink, createStatus, createTest } from './testing.ts';

const PRESS = createStatus();
const BOILER = createStatus({ id: 'link-2', appId: 'boiler', address: 'W190' });
const DEFINITIONS = [createLink(), createLink({ id: 'link-2', appId: 'boiler', address: 'W190' })];
const NAMES: Record<string, string> = { [APP_ID]: 'HMI 10', boiler: 'HMI 2' };
const GOOD = { appId: APP_ID, peer: '10.0.0.5', slot: '2', block: '250', byte: '188' };
const NO_CONTENT = (): Response => new Response(null, { status: 204 });

async function open(answers: Answers = {}) {
  const ports = createTestPorts({ 'GET /api/v1/links': json(DEFINITIONS), ...answers });
  const clock = new HostClock(ports.clock);
  const links = new Links(
    createApi(ports.fetch),
    ports,
    clock,
    createLine(ports, clock),
    (appId) => NAMES[appId] ?? '',
  );
  links.live.start();
  ports.sockets[0]?.open();
  const tell = (statuses: unknown[]): void =>
    ports.sockets[0]?.tell({ type: 'plc', serverTime: iso(0), links: statuses });
  tell([PRESS, BOILER]);
  const bodyOf = (route: string): unknown => ports.calls.find((call) => call.route === route)?.body;
  const routes = (): string[] => ports.calls.map(({ route }) => route);
  /** Opens the sheet to add a link, with all that it needs typed. */
  const add = async () => {
    await links.go('add');
    links.sheet?.type(GOOD);
    return sheetOf(links);
  };
  const change = async () => {
    await links.go(PRESS);
    return sheetOf(links);
  };
  return { ...ports, links, tell, bodyOf, routes, add, change };
}

function sheetOf({ sheet }: Links) {
  if (sheet === null) throw new Error('no sheet is open');
  return sheet;
}

test('asks for the links, and lists them by app as people count', async () => {
  const { links, sockets } = await open();
  expect(sockets[0]?.sent).toEqual([{ type: 'subscribe', topic: 'plc' }]);
  expect(links.rows.map(({ id }) => id)).toEqual(['link-2', 'link-1']);
});

test('no row moves while values and states change', async () => {
  const { links, tell } = await open();
  tell([
    { ...PRESS, state: 'backing-off', value: null },
    { ...BOILER, value: 1 },
  ]);
  expect(links.rows.map(({ id, value }) => [id, value])).toEqual([
    ['link-2', 1],
    ['link-1', null],
  ]);
});

test('keeps what was known last when the connection is lost, and says since when', async () => {
  const { links, clock, sockets } = await open();
  expect(links.staleSince).toBeNull();
  await clock.advance(2_000);
  sockets[0]?.end();
  expect(links.staleSince).toBe(START_MS);
  expect(links.rows).toHaveLength(2);
});

test('opens a link as the host has it now', async () => {
  const { links, answers, change } = await open();
  answers['GET /api/v1/links'] = json([createLink({ defaultValue: 7 })]);
  expect((await change()).fields).toMatchObject({ peer: '10.0.0.5', byte: '188', defaultValue: '7' });
  expect(links.opened?.value).toBe(9);
  expect(links.holdsChanges).toBe(false);
});

test('of two links that are asked for at once the last one opens', async () => {
  const { links } = await open();
  await Promise.all([links.go(PRESS), links.go(BOILER)]);
  expect(links.sheet?.link?.id).toBe('link-2');
});

test('says that the host does not answer where a link cannot be opened', async () => {
  const { links } = await open({ 'GET /api/v1/links': 'silent' });
  await links.go(PRESS);
  expect(links.sheet).toBeNull();
  expect(links.opening.problem?.code).toBe('unreachable');
});

test('asks before what was typed is lost, and goes on where it was going', async () => {
  const { links, change } = await open();
  (await change()).type({ byte: '200' });
  await links.go(BOILER);
  expect(links.sheet?.question).toBe('discard');
  expect(links.sheet?.link?.id).toBe('link-1');
  await links.discard();
  expect(links.sheet?.link?.id).toBe('link-2');
  await links.go(null);
  expect(links.sheet).toBeNull();
});

test('adds a link, and goes on with it', async () => {
  const { links, add, bodyOf } = await open({ 'POST /api/v1/links': json(createLink()) });
  const sheet = await add();
  sheet.type({ lifeBit: '190.0' });
  await sheet.save();
  expect(bodyOf('POST /api/v1/links')).toEqual({
    appId: APP_ID,
    connection: 'Data Source=10.0.0.5,0,2',
    area: 'DB250',
    address: 'W188',
    defaultValue: 0,
    onConnect: 'host',
    allowAdmin: false,
    lifeBit: 'X1520',
    userName: null,
    signInTime: null,
    request: null,
    acknowledge: null,
  });
  expect([sheet.adds, sheet.done, sheet.changed]).toEqual([false, 'saved', []]);
  expect(links.opened?.id).toBe('link-1');
});

test('changes a link', async () => {
  const { change, bodyOf } = await open({
    'PUT /api/v1/links/link-1': json(createLink({ address: 'W200' })),
  });
  const sheet = await change();
  sheet.type({ byte: '200' });
  expect(sheet.changed).toEqual(['byte']);
  await sheet.save();
  expect(bodyOf('PUT /api/v1/links/link-1')).toMatchObject({ address: 'W200', area: 'DB250' });
  expect([sheet.done, sheet.changed]).toEqual(['saved', []]);
});

test('says at once what can no longer become right, and the rest when the field is left', async () => {
  const { links } = await open();
  await links.go('add');
  const sheet = sheetOf(links);
  expect(sheet.faults).toEqual({});
  sheet.type({ peer: '10.0.0' });
  expect(sheet.faults).toEqual({});
  sheet.leave('peer');
  sheet.type({ slot: '99' });
  expect(Object.keys(sheet.faults)).toEqual(['peer', 'slot']);
  sheet.type({ peer: '10.0.0.5' });
  expect(Object.keys(sheet.faults)).toEqual(['slot']);
});

test.each(['save', 'test'] as const)('does not ask the host to %s what cannot be right', async (act) => {
  const { links, routes } = await open();
  await links.go('add');
  const sheet = sheetOf(links);
  await sheet[act]();
  expect(Object.keys(sheet.faults)).toEqual(['appId', 'peer', 'block', 'byte']);
  expect(routes()).toEqual([]);
});

test('puts what the host refuses at its field, until that is typed anew', async () => {
  const faults = [{ field: 'address', message: 'Another link writes there.' }];
  const { add } = await open({ 'POST /api/v1/links': problem(400, 'invalid-input', { faults }) });
  const sheet = await add();
  await sheet.save();
  expect(sheet.faults).toEqual({ byte: { text: 'Another link writes there.' } });
  expect(sheet.isPlaced(sheet.saving)).toBe(true);
  sheet.type({ byte: '190' });
  expect(sheet.faults).toEqual({});
});

test('keeps what was typed when saving fails', async () => {
  const { add } = await open();
  const sheet = await add();
  await sheet.save();
  expect([sheet.saving.problem?.code, sheet.isPlaced(sheet.saving)]).toEqual(['unreachable', false]);
  expect(sheet.fields.byte).toBe('188');
});

test('tests what is typed before it is saved, and forgets the result when that changes', async () => {
  const { add, bodyOf } = await open({ 'POST /api/v1/links/test': json(createTest()) });
  const sheet = await add();
  await sheet.test();
  expect(bodyOf('POST /api/v1/links/test')).toMatchObject({ address: 'W188' });
  expect(sheet.found?.user).toBe('Sam Supervisor');
  expect(sheet.adds).toBe(true);
  sheet.type({ byte: '190' });
  expect(sheet.found).toBeNull();
});

test('what has been typed while a test ran is not taken for tested', async () => {
  const { add } = await open({ 'POST /api/v1/links/test': json(createTest()) });
  const sheet = await add();
  const tested = sheet.test();
  sheet.type({ byte: '190' });
  await tested;
  expect(sheet.found).toBeNull();
});

test('writes the default and says so when the PLC has confirmed', async () => {
  const { change, routes } = await open({ 'POST /api/v1/links/link-1/write-default': NO_CONTENT });
  const sheet = await change();
  sheet.ask('write-default');
  await sheet.writeDefault();
  expect(routes()).toContain('POST /api/v1/links/link-1/write-default');
  expect([sheet.done, sheet.question]).toEqual(['default-written', null]);
});

test('says why the default could not be written', async () => {
  const route = 'POST /api/v1/links/link-1/write-default';
  const { change } = await open({ [route]: problem(503, 'plc-unreachable') });
  const sheet = await change();
  await sheet.writeDefault();
  expect([sheet.acting.problem?.code, sheet.done]).toEqual(['plc-unreachable', null]);
});

test.each([
  ['a link', NO_CONTENT],
  ['a link that somebody else has removed', problem(404, 'not-found')],
])('removes %s from the list', async (_, answer) => {
  const { links, change } = await open({ 'DELETE /api/v1/links/link-1': answer });
  await (await change()).remove();
  expect(links.sheet).toBeNull();
  expect(links.rows.map(({ id }) => id)).toEqual(['link-2']);
});

test('a link that cannot be removed stays', async () => {
  const { links, change } = await open();
  await (await change()).remove();
  expect(links.sheet?.acting.problem?.code).toBe('unreachable');
  expect(links.rows).toHaveLength(2);
});
