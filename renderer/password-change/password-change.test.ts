import { expect, test } from 'vitest';
import { createApi } from '../shared/api.ts';
import { Door } from '../shared/door.svelte.ts';
import { createSession, createTestPorts, json, problem, WELCOME, type Answers } from '../shared/testing.ts';
import { PasswordChange } from './password-change.svelte.ts';

const ROUTE = 'POST /api/v1/password-change';
const GOOD = 'correct horse battery';

function open(answers: Answers = {}) {
  const ports = createTestPorts(answers);
  const api = createApi(ports.fetch);
  const door = new Door(null, api, ports.clock, ports.memory);
  const change = { ticket: 't', username: 'Long-Serving-Operator' };
  door.change = change;
  return { ...ports, door, page: new PasswordChange(door, change, WELCOME, api, ports.clock) };
}

test.each([
  ['', '', [false, false, false]],
  ['short', '', [false, true, false]],
  [GOOD, '', [true, true, false]],
  [GOOD, GOOD, [true, true, true]],
  ['long-serving-operator', '', [true, false, false]],
  ['x'.repeat(129), '', [false, true, false]],
  ['🔑'.repeat(14), '', [false, true, false]],
  ['🔑'.repeat(15), '', [true, true, false]],
])('the rules met by %j and %j', (newPassword, repetition, met) => {
  const { page } = open();
  page.newPassword = newPassword;
  page.repetition = repetition;
  expect(page.rules.map((rule) => rule.met)).toEqual(met);
});

test('does not ask the host before every rule is met', async () => {
  const { page, calls } = open();
  page.newPassword = GOOD;
  await page.submit();
  expect(page.hasty).toBe(true);
  expect(calls).toEqual([]);
});

test('changes the password and signs in', async () => {
  const { page, door, calls } = open({ [ROUTE]: json({ session: createSession() }) });
  page.newPassword = page.repetition = GOOD;
  await page.submit();
  expect(calls[0]?.body).toEqual({ ticket: 't', newPassword: GOOD });
  expect(door.page).toBe('home');
});

test("keeps the host's own faults", async () => {
  const faults = [{ field: 'newPassword', message: 'Known from a breach.' }];
  const { page } = open({ [ROUTE]: problem(400, 'password-unacceptable', { faults }) });
  page.newPassword = page.repetition = GOOD;
  await page.submit();
  expect(page.submission.problem?.faults).toEqual(['Known from a breach.']);
});

test('goes back to the sign-in page when the ticket is too old', async () => {
  const { page, door } = open({ [ROUTE]: problem(401, 'ticket-invalid') });
  page.newPassword = page.repetition = GOOD;
  await page.submit();
  expect(door.change).toBeNull();
  expect(door.ending?.reason).toBe('ticket');
});
