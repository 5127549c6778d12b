import { expect, test } from 'vitest';
import { createApi } from '../shared/api.ts';
import { HostClock } from '../shared/host-clock.svelte.ts';
import { createTestPorts, iso, json, problem, settle, type Answers } from '../shared/testing.ts';
import { createUser } from './testing.ts';
import { Users } from './users.svelte.ts';

const LIST = [
  createUser('zoe', { displayName: 'Zoë Winter', type: 'Admin' }),
  createUser('anna', {
    displayName: 'Anna Berger',
    lock: { until: iso(60_000), failures: 10, places: null },
  }),
  createUser('Fire', { emergency: true, type: 'Admin' }),
  createUser('otto', {
    enabled: false,
    password: 'one-time',
    lock: { until: null, failures: 10, places: null },
  }),
];

async function open(answers: Answers = {}) {
  const ports = createTestPorts({
    'GET /api/v1/users': json(LIST),
    'GET /api/v1/emergency': json([]),
    ...answers,
  });
  const users = new Users(createApi(ports.fetch), ports, new HostClock(ports.clock));
  await users.load();
  const named = (name: string) => LIST.find((user) => user.name === name) ?? null;
  const routes = () => ports.calls.map(({ route }) => route);
  return { ...ports, users, named, routes, names: () => users.shown.map(({ name }) => name) };
}

test('lists users by name, whatever their capitals', async () => {
  const { names } = await open();
  expect(names()).toEqual(['anna', 'Fire', 'otto', 'zoe']);
});

test.each([
  ['ber', ['anna']],
  ['  WINTER zoë', ['zoe']],
  ['an berger', ['anna']],
  ['nobody', []],
])('finds by "%s" in name and display name, every word of it', async (search, found) => {
  const { users, names } = await open();
  users.search = search;
  expect(names()).toEqual(found);
});

test.each([
  ['locked', ['anna', 'otto']],
  ['secret', ['otto']],
  ['disabled', ['otto']],
  ['administrators', ['zoe']],
  ['emergency', ['Fire']],
] as const)('narrows to those that are %s, and counts them', async (narrowing, found) => {
  const { users, names } = await open();
  expect(users.count(narrowing)).toBe(found.length);
  users.toggle(narrowing);
  expect(names()).toEqual(found);
  users.toggle(narrowing);
  expect(names()).toHaveLength(4);
});

test('a lock that has run out is none, without asking the host', async () => {
  const { users, clock, names } = await open();
  users.toggle('locked');
  await clock.advance(61_000);
  expect(names()).toEqual(['otto']);
});

test('asks again where something changed while the list was on its way', async () => {
  const { users, routes } = await open();
  const asked = (): number => routes().filter((route) => route === 'GET /api/v1/users').length;
  await Promise.all([users.load(), users.load(), users.load()]);
  expect(asked()).toBe(3);
});

test('keeps the list while the host does not answer', async () => {
  const { users, answers, names } = await open();
  answers['GET /api/v1/users'] = 'silent';
  await users.load();
  expect(users.loading.problem?.code).toBe('unreachable');
  expect(names()).toHaveLength(4);
});

test('asks before what was typed is lost, and goes on where it was going', async () => {
  const { users, named } = await open();
  users.go(named('anna'));
  users.sheet?.type({ displayName: 'A.' });
  expect(users.holds).toBe('changes');
  users.go(named('zoe'));
  expect(users.sheet?.question).toBe('discard');
  expect(users.sheet?.username).toBe('anna');
  users.discard();
  expect(users.sheet?.username).toBe('zoe');
  expect(users.holds).toBeNull();
});

test('closes without asking where nothing was typed', async () => {
  const { users, named } = await open();
  users.go(named('anna'));
  users.go(null);
  expect(users.sheet).toBeNull();
});

test('adds a user, and holds on to the secret until it is confirmed', async () => {
  const answer = {
    ...createUser('olivia'),
    oneTimeSecret: 'abcd-efgh',
    oneTimeSecretExpiresAt: iso(86_400_000),
  };
  const { users, calls, routes, named } = await open({ 'POST /api/v1/users': json(answer) });
  users.go('add');
  users.sheet?.type({ name: 'olivia', limit: '30' });
  await users.sheet?.save();
  expect(calls.at(-3)?.body).toEqual({ name: 'olivia', type: 'Active', logoutTimeInMin: 30 });
  expect(users.sheet?.secret).toMatchObject({ kind: 'one-time', username: 'olivia', secret: 'abcd-efgh' });
  expect(users.holds).toBe('secret');
  users.go(null);
  users.go(named('anna'));
  expect(users.sheet?.secret).not.toBeNull();
  users.confirmSecret();
  expect(users.sheet).toBeNull();
  await settle();
  expect(routes().filter((route) => route === 'GET /api/v1/users')).toHaveLength(2);
});

test('does not ask the host for what cannot be right, and says where it is wrong', async () => {
  const { users, routes } = await open();
  users.go('add');
  users.sheet?.type({ limit: 'ten' });
  expect(users.sheet?.faults).toEqual({});
  await users.sheet?.save();
  expect(Object.keys(users.sheet?.faults ?? {})).toEqual(['name', 'limit']);
  expect(routes()).not.toContain('POST /api/v1/users');
  users.sheet?.type({ name: 'olivia' });
  expect(Object.keys(users.sheet?.faults ?? {})).toEqual(['limit']);
});

test('keeps what was typed where the name is taken, until another is typed', async () => {
  const { users } = await open({ 'POST /api/v1/users': problem(409, 'already-exists') });
  users.go('add');
  users.sheet?.type({ name: 'anna', displayName: 'Another Anna' });
  await users.sheet?.save();
  expect(users.sheet?.faults.name).toMatchObject({ key: 'users.fault.taken' });
  expect(users.sheet?.problemElsewhere).toBe(false);
  expect(users.sheet?.fields.displayName).toBe('Another Anna');
  users.sheet?.type({ name: 'anna2' });
  expect(users.sheet?.faults.name).toBeUndefined();
  expect(users.sheet?.problemElsewhere).toBe(false);
});

test('sends only what was changed', async () => {
  const { users, calls, named } = await open({ 'PATCH /api/v1/users/anna': json({}) });
  users.go(named('anna'));
  users.sheet?.type({ enabled: false, displayName: 'Anna B.' });
  await users.sheet?.save();
  expect(calls.find(({ route }) => route.startsWith('PATCH'))?.body).toEqual({
    displayName: 'Anna B.',
    enabled: false,
  });
  expect(users.holds).toBeNull();
  expect(users.sheet?.done).toBe('saved');
});

test('keeps what was typed when saving fails', async () => {
  const { users, named } = await open();
  users.go(named('anna'));
  users.sheet?.type({ displayName: 'Anna B.' });
  await users.sheet?.save();
  expect(users.sheet?.problemElsewhere).toBe(true);
  expect(users.sheet?.changed).toEqual(['displayName']);
});

test('resets a password and leaves what was typed alone', async () => {
  const secret = { username: 'anna', oneTimeSecret: 's3cret', expiresAt: iso(86_400_000) };
  const { users, named } = await open({ 'POST /api/v1/users/anna/password-reset': json(secret) });
  users.go(named('anna'));
  users.sheet?.type({ displayName: 'Anna B.' });
  await users.sheet?.resetPassword();
  expect(users.sheet?.secret).toMatchObject({ secret: 's3cret' });
  users.confirmSecret();
  expect(users.sheet?.fields.displayName).toBe('Anna B.');
});

test.each([
  ['seals an emergency account anew', 'Fire', 'POST /api/v1/emergency/Fire/seal'],
  ['adds an emergency account', 'add-emergency', 'POST /api/v1/emergency'],
])('%s', async (_, next, route) => {
  const sealed = { username: 'Fire', secret: 'envelope', sealedAt: iso(0) };
  const { users, named } = await open({ [route]: json(sealed) });
  users.go(next === 'add-emergency' ? next : named(next));
  if (next === 'add-emergency') {
    users.sheet?.type({ name: 'Fire' });
    await users.sheet?.save();
  } else {
    await users.sheet?.seal();
  }
  expect(users.sheet?.secret).toEqual({
    kind: 'sealed',
    username: 'Fire',
    secret: 'envelope',
    expiresAt: null,
  });
});

test('unlocks, and says so', async () => {
  const { users, named } = await open({
    'POST /api/v1/users/otto/unlock': () => new Response(null, { status: 204 }),
  });
  users.go(named('otto'));
  await users.sheet?.unlock();
  expect(users.sheet?.done).toBe('unlocked');
});

test('goes on with the user in the sheet while the list changes', async () => {
  const { users, answers, named } = await open();
  users.go(named('anna'));
  users.sheet?.type({ displayName: 'Anna B.' });
  answers['GET /api/v1/users'] = json([createUser('anna', { displayName: 'Anna C.' })]);
  await users.load();
  expect(users.opened?.displayName).toBe('Anna C.');
  expect(users.sheet?.fields.displayName).toBe('Anna B.');
});
