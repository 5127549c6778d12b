import { expect, test } from 'vitest';
import type { AccountView } from '../../server/http/contract.ts';
import { createApi } from '../shared/api.ts';
import {
  createSession,
  createTestPorts,
  iso,
  json,
  problem,
  WELCOME,
  type Answers,
} from '../shared/testing.ts';
import { Account } from './account.svelte.ts';

const GET = 'GET /api/v1/account';
const PUT = 'PUT /api/v1/password';
const GOOD = 'correct horse battery';
const gone = () => new Response(null, { status: 204 });

const VIEW: AccountView = {
  name: 'anna',
  displayName: 'Anna Berger',
  type: 'Active',
  hasPassword: true,
  hasPin: false,
  passwordChangedAt: iso(-1),
  passwordExpiresAt: null,
  passwordExpiresSoon: false,
};

function open(answers: Answers = {}) {
  const ports = createTestPorts({ [GET]: json(VIEW), ...answers });
  const account = new Account(createSession().user, WELCOME.password, createApi(ports.fetch), ports.clock);
  return { ...ports, account };
}

function type(account: Account): void {
  account.currentPassword = 'the former one';
  account.newSecret = account.repetition = GOOD;
}

test('tells of the account, or why it cannot', async () => {
  const { account, answers } = open({ [GET]: 'silent' });
  await account.load();
  expect([account.view, account.problem?.code]).toEqual([null, 'unreachable']);
  answers[GET] = json(VIEW);
  await account.load();
  expect([account.view, account.problem]).toEqual([VIEW, null]);
});

test('asks for the current password and for every rule before it asks the host', async () => {
  const { account, calls } = open();
  account.newSecret = account.repetition = GOOD;
  await account.change();
  expect(account.fault).toEqual({ field: 'current', key: 'account.currentMissing' });
  account.currentPassword = 'the former one';
  account.repetition = 'another';
  await account.change();
  expect(account.fault).toEqual({ field: 'new', key: 'change.unmet' });
  expect(calls).toEqual([]);
});

test('changes the password, forgets what was typed, and tells until when the new one is good', async () => {
  const { account, calls, answers } = open({ [PUT]: gone });
  type(account);
  expect(account.hasWork).toBe(true);
  answers[GET] = json({ ...VIEW, passwordExpiresAt: iso(9) });
  await account.change();
  expect(calls[0]).toEqual({
    route: PUT,
    body: { currentPassword: 'the former one', newPassword: GOOD },
  });
  expect([account.isChanged, account.hasWork, account.fault]).toEqual([true, false, null]);
  expect(account.view?.passwordExpiresAt).toBe(iso(9));
});

test.each([
  [problem(401, 'sign-in-refused'), 'current'],
  [
    problem(400, 'password-unacceptable', { faults: [{ field: 'newPassword', message: 'known' }] }),
    undefined,
  ],
  [problem(429, 'too-many-tries', {}, { 'Retry-After': '30' }), undefined],
])('keeps what was typed when it is refused: %#', async (answer, field) => {
  const { account } = open({ [PUT]: answer });
  type(account);
  await account.change();
  expect([account.fault?.field, account.isChanged, account.newSecret]).toEqual([field, false, GOOD]);
  expect(account.changing.problem).not.toBeNull();
});

test('shows the rule that the host alone could check as broken', async () => {
  const faults = [{ field: 'newPassword', message: 'used before', rule: 'history' }];
  const { account } = open({ [PUT]: problem(400, 'password-unacceptable', { faults }) });
  const former = () => account.rules.find(({ key }) => /^change\.not(Former|Present)$/.test(key))?.met;
  type(account);
  expect(former()).toBeNull();
  await account.change();
  expect(former()).toBe(false);
});
