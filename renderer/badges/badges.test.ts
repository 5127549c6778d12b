import { expect, test } from 'vitest';
import type { BadgeView } from '../../server/http/contract.ts';
import { createApi } from '../shared/api.ts';
import { createTestPorts, iso, json, problem, settle, WELCOME, type Answers } from '../shared/testing.ts';
import { createUser } from '../users/testing.ts';
import { Badges } from './badges.svelte.ts';

const LIST = 'GET /api/v1/badges';
const USERS = 'GET /api/v1/users';
const ADD = 'POST /api/v1/badges';
const gone = () => new Response(null, { status: 204 });

function createBadge(id: string, over: Partial<BadgeView> = {}): BadgeView {
  const view = {
    userName: 'anna',
    displayName: 'Anna Berger',
    label: '',
    enrolledAt: iso(0),
    revokedAt: null,
  };
  return { id, ...view, ...over };
}

async function open(list: readonly BadgeView[] = [], answers: Answers = {}) {
  const users = [createUser('anna'), createUser('Bob'), createUser('break glass', { emergency: true })];
  const ports = createTestPorts({ [LIST]: json(list), [USERS]: json(users), ...answers });
  const badges = new Badges(createApi(ports.fetch), ports.clock, WELCOME.badges);
  await badges.load();
  return { ...ports, badges };
}

async function openEnrolment(answers: Answers = {}) {
  const opened = await open([], answers);
  opened.badges.go('enrol');
  await settle();
  const { enrolment } = opened.badges;
  if (enrolment === null) throw new Error('nothing is being enrolled');
  return { ...opened, enrolment };
}

test('lists by user as people count, and of one user the latest first', async () => {
  const { badges } = await open([
    createBadge('1', { userName: 'operator 10' }),
    createBadge('2', { userName: 'operator 2', enrolledAt: iso(0) }),
    createBadge('3', { userName: 'operator 2', enrolledAt: iso(5) }),
  ]);
  expect(badges.list?.map(({ id }) => id)).toEqual(['3', '2', '1']);
});

test('finds by user and label, and narrows to what is in use or revoked', async () => {
  const { badges } = await open([
    createBadge('1', { label: 'Card 17' }),
    createBadge('2', { userName: 'bob', displayName: 'Bob', label: 'Blue fob', revokedAt: iso(1) }),
  ]);
  badges.search = 'CARD berger';
  expect(badges.shown.map(({ id }) => id)).toEqual(['1']);
  expect([badges.count('good'), badges.count('revoked')]).toEqual([1, 0]);
  badges.showAll();
  badges.toggle('revoked');
  expect(badges.shown.map(({ id }) => id)).toEqual(['2']);
  badges.toggle('revoked');
  expect(badges.shown).toHaveLength(2);
});

test('keeps the list that it has while the host does not answer', async () => {
  const { badges, answers } = await open([createBadge('1')]);
  answers[LIST] = 'silent';
  await badges.load();
  expect([badges.list?.length, badges.loading.problem?.code]).toEqual([1, 'unreachable']);
});

test('offers users to choose from, but no emergency accounts', async () => {
  const { enrolment } = await openEnrolment();
  expect(enrolment.users?.map(({ name }) => name)).toEqual(['anna', 'Bob']);
});

test('enrols what the reader read for the user as the host writes the name, and shows it', async () => {
  const added = createBadge('9', { userName: 'Bob', label: 'Card 1' });
  const { badges, enrolment, calls } = await openEnrolment({ [ADD]: json(added) });
  enrolment.type({ userName: ' bob ', label: ' Card 1 ' });
  enrolment.scanned('04A2B3C4');
  expect(enrolment.read).toBe('number');
  await badges.enrol();
  expect(calls.at(-1)?.body).toEqual({ userName: 'Bob', badge: '04A2B3C4', label: 'Card 1' });
  expect([badges.enrolment, badges.opened?.id, badges.done]).toEqual([null, '9', 'enrolled']);
});

test('enrols for nobody else where letter case alone tells users apart', async () => {
  const users = [createUser('Anna'), createUser('anna'), createUser('Bob')];
  const { badges, enrolment, calls } = await openEnrolment({
    [USERS]: json(users),
    [ADD]: json(createBadge('9')),
  });
  enrolment.type({ userName: 'ANNA', badge: '04A2B3C4' });
  await badges.enrol();
  expect(enrolment.faults).toEqual({ userName: { key: 'badges.fault.userUnknown' } });
  enrolment.type({ userName: 'anna' });
  await badges.enrol();
  expect(calls.at(-1)?.body).toMatchObject({ userName: 'anna' });
});

test('a scan that is none takes nothing from what is there', async () => {
  const { enrolment } = await openEnrolment();
  enrolment.scanned('04A2B3C4');
  enrolment.scanned(null);
  expect([enrolment.fields.badge, enrolment.read]).toEqual(['04A2B3C4', 'nothing']);
  enrolment.type({ badge: '04A2B3C5' });
  expect(enrolment.read).toBeNull();
});

test('says what is missing before it asks the host, once saving was tried', async () => {
  const { badges, enrolment, calls } = await openEnrolment();
  enrolment.type({ userName: 'nobody', badge: '12345', label: 'x'.repeat(65) });
  expect(enrolment.faults).toEqual({});
  const before = calls.length;
  await badges.enrol();
  expect(enrolment.faults).toEqual({
    userName: { key: 'badges.fault.userUnknown' },
    badge: { key: 'badges.fault.short', values: { min: 6 } },
    label: { key: 'badges.fault.labelLong' },
  });
  expect(calls).toHaveLength(before);
  enrolment.type({ userName: '' });
  expect(enrolment.faults.userName).toEqual({ key: 'badges.fault.userMissing' });
});

test.each([
  [problem(409, 'already-exists'), { badge: { key: 'badges.fault.taken' } }],
  [problem(404, 'not-found'), { userName: { key: 'badges.fault.userUnknown' } }],
  [
    problem(400, 'invalid-input', { faults: [{ field: 'badge', message: 'too short' }] }),
    { badge: { text: 'too short' } },
  ],
])('says at the field what the host refused: %#', async (answer, faults) => {
  const { badges, enrolment } = await openEnrolment({ [ADD]: answer, [USERS]: 'silent' });
  enrolment.type({ userName: 'anna', badge: '04A2B3C4' });
  await badges.enrol();
  expect([enrolment.faults, enrolment.problemElsewhere]).toEqual([faults, false]);
  expect(badges.enrolment?.fields.badge).toBe('04A2B3C4');
  enrolment.type({ userName: 'anna!', badge: '04A2B3C5' });
  expect(enrolment.faults).toEqual({});
});

test('asks before it drops what was typed, and goes where the question came up', async () => {
  const { badges, enrolment } = await openEnrolment();
  enrolment.type({ label: 'Card 1' });
  badges.go(null);
  expect([badges.enrolment, badges.question]).toEqual([enrolment, 'discard']);
  badges.discard();
  expect([badges.enrolment, badges.question, badges.holds]).toEqual([null, null, false]);
});

test('revokes the badge that is open, and shows it revoked', async () => {
  const badge = createBadge('1');
  const { badges, calls, answers } = await open([badge], { 'DELETE /api/v1/badges/1': gone });
  badges.go(badge);
  badges.question = 'revoke';
  answers[LIST] = json([{ ...badge, revokedAt: iso(9) }]);
  await badges.revoke();
  expect(calls.map(({ route }) => route)).toContain('DELETE /api/v1/badges/1');
  expect([badges.done, badges.question, badges.opened?.revokedAt]).toEqual(['revoked', null, iso(9)]);
});

test('says so when revoking did not work', async () => {
  const badge = createBadge('1');
  const { badges } = await open([badge], { 'DELETE /api/v1/badges/1': 'silent' });
  badges.go(badge);
  await badges.revoke();
  expect([badges.done, badges.revoking.problem?.code]).toEqual([null, 'unreachable']);
});
