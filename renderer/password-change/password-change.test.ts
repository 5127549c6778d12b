import { expect, test } from 'vitest';
import type { WelcomeView } from '../../server/http/contract.ts';
import { createApi } from '../shared/api.ts';
import { Door } from '../shared/door.svelte.ts';
import { createSession, createTestPorts, json, problem, WELCOME, type Answers } from '../shared/testing.ts';
import { PasswordChange } from './password-change.svelte.ts';

const ROUTE = 'POST /api/v1/password-change';
const GOOD = 'correct horse battery';

const BLOCKLIST = 'GET /api/v1/password-blocklist';
const LIST = json({ common: ['password'], site: ['waterworks'] });

function open(answers: Answers = {}, policy: Partial<WelcomeView['password']> = {}) {
  const ports = createTestPorts(answers);
  const api = createApi(ports.fetch);
  const door = new Door(null, api, ports.clock, ports.memory);
  const change = { ticket: 't', username: 'Long-Serving-Operator', why: 'expired' } as const;
  door.change = change;
  const welcome = { ...WELCOME, password: { ...WELCOME.password, ...policy } };
  return { ...ports, door, page: new PasswordChange(door, change, welcome, api, ports.clock) };
}

/** The keys of the rules that are met, not met, and left to the host. */
function standing(page: PasswordChange): { met: string[]; unmet: string[]; later: string[] } {
  const keysOf = (met: boolean | null): string[] =>
    page.rules.filter((rule) => rule.met === met).map(({ key }) => key.replace('change.', ''));
  return { met: keysOf(true), unmet: keysOf(false), later: keysOf(null) };
}

test.each([
  ['', '', []],
  ['short', '', ['notCommon', 'notUserName']],
  [GOOD, '', ['length', 'notCommon', 'notUserName']],
  [GOOD, GOOD, ['length', 'notCommon', 'notUserName', 'equal']],
  ['long-serving-operator', '', ['length', 'notCommon']],
  ['Long-Serving-Operator-2026!', '', ['length', 'notCommon']],
  ['passwordpassword', '', ['length', 'notUserName']],
  ['!!!! Waterworks 2026', '', ['length', 'notUserName']],
  ['xy z'.repeat(33), '', ['notCommon', 'notUserName']],
  ['🔑🏭🐢🚰🔧🔩🎛🧯🪫🛢🚨🔒🧰📟', '', ['notCommon', 'notUserName']],
  ['🔑🏭🐢🚰🔧🔩🎛🧯🪫🛢🚨🔒🧰📟💡', '', ['length', 'notCommon', 'notUserName']],
])('the rules met by %j and %j are %j', async (newPassword, repetition, met) => {
  const { page } = open({ [BLOCKLIST]: LIST });
  await page.load();
  page.newSecret = newPassword;
  page.repetition = repetition;
  expect(standing(page).met).toEqual(met);
});

test('has a line for each rule of the policy, and for no other', () => {
  const { page } = open({}, { minUppercase: 1, minSymbols: 2, symbols: '! ', blocklist: false, history: 3 });
  page.newSecret = 'Ab! !';
  expect(page.rules).toEqual([
    { key: 'change.length', values: { min: 15, max: 128, count: 5 }, met: false },
    { key: 'change.uppercase', values: { limit: 1, count: 1 }, met: true },
    { key: 'change.namedSymbols', values: { limit: 2, count: 3, symbols: '! ␣' }, met: true },
    { key: 'change.notUserName', values: {}, met: true },
    { key: 'change.notFormer', values: { limit: 3 }, met: null },
    { key: 'change.equal', values: {}, met: false },
  ]);
});

test('says nothing wrong of words while their list is on its way, and sends what is typed to the host', async () => {
  const { page, calls } = open({ [BLOCKLIST]: 'silent', [ROUTE]: json({ session: createSession() }) });
  await page.load();
  page.newSecret = page.repetition = 'passwordpassword';
  expect(standing(page)).toMatchObject({ unmet: [], later: ['notCommon', 'notPresent'] });
  await page.submit();
  expect(calls.map(({ route }) => route)).toEqual([BLOCKLIST, ROUTE]);
});

test('does not fetch a list that the policy has no use for', async () => {
  const { page, calls } = open({}, { blocklist: false });
  await page.load();
  expect(calls).toEqual([]);
});

test('shows which rules the host found broken, until something else is typed', async () => {
  const faults = [
    { field: 'newPassword', message: 'It is a former one.', rule: 'history', values: { limit: 3 } },
    { field: 'newPassword', message: 'It is the name.', rule: 'not-user-name' },
  ];
  const { page } = open({ [ROUTE]: problem(400, 'password-unacceptable', { faults }) }, { history: 3 });
  page.newSecret = page.repetition = GOOD;
  await page.submit();
  expect(standing(page).unmet).toEqual(['notUserName', 'notFormer']);
  expect(page.submission.problem?.refusals).toEqual(faults);
  page.newSecret = page.repetition = `${GOOD}!`;
  expect(standing(page).unmet).toEqual([]);
});

test('does not ask the host before every rule is met', async () => {
  const { page, calls } = open();
  page.newSecret = GOOD;
  await page.submit();
  expect(page.hasty).toBe(true);
  expect(calls).toEqual([]);
});

test('changes the password and signs in', async () => {
  const { page, door, calls } = open({ [ROUTE]: json({ session: createSession() }) });
  page.newSecret = page.repetition = GOOD;
  await page.submit();
  expect(calls[0]?.body).toEqual({ ticket: 't', newPassword: GOOD });
  expect(door.page).toBe('home');
});

test("keeps the host's own faults", async () => {
  const faults = [{ field: 'newPassword', message: 'Known from a breach.' }];
  const { page } = open({ [ROUTE]: problem(400, 'password-unacceptable', { faults }) });
  page.newSecret = page.repetition = GOOD;
  await page.submit();
  expect(page.submission.problem?.faults).toEqual(['Known from a breach.']);
});

test('goes back to the sign-in page when the ticket is too old', async () => {
  const { page, door } = open({ [ROUTE]: problem(401, 'ticket-invalid') });
  page.newSecret = page.repetition = GOOD;
  await page.submit();
  expect(door.change).toBeNull();
  expect(door.ending?.reason).toBe('ticket');
});
