import { expect, test } from 'vitest';
import { createApi } from '../shared/api.ts';
import { Door } from '../shared/door.svelte.ts';
import {
  APP_ID,
  createMemory,
  createSession,
  createTestPorts,
  json,
  problem,
  settle,
} from '../shared/testing.ts';
import type { Answers } from '../shared/testing.ts';
import { SignIn } from './sign-in.svelte.ts';

const ROUTE = 'POST /api/v1/sign-in';

function open(answers: Answers, appId: string | null = null, memory = createMemory()) {
  const ports = createTestPorts(answers, memory);
  const api = createApi(ports.fetch);
  const door = new Door(appId, api, ports.clock, memory);
  return { ...ports, door, signIn: new SignIn(door, api, ports.clock) };
}

test('begins with the name of the last one who signed in', () => {
  const { signIn } = open({}, null, createMemory({ 'keyswitch.username': 'anna' }));
  expect(signIn.username).toBe('anna');
  expect(signIn.password).toBe('');
});

test("signs in at the page's app, without the spaces around the name", async () => {
  const { signIn, door, calls } = open({ [ROUTE]: json({ session: createSession() }) }, APP_ID);
  signIn.username = ' anna ';
  signIn.password = ' pass word ';
  await signIn.submit();
  expect(calls[0]?.body).toEqual({
    username: 'anna',
    password: ' pass word ',
    appId: APP_ID,
    presentation: 'cookie',
  });
  expect(door.page).toBe('home');
});

test('asks for what is missing before it asks the host', async () => {
  const { signIn, calls } = open({});
  await signIn.submit();
  expect(signIn.missing).toBe('signIn.nameMissing');
  signIn.username = 'anna';
  await signIn.submit();
  expect(signIn.missing).toBe('signIn.passwordMissing');
  expect(calls).toEqual([]);
});

test('keeps what was typed when it is refused, and does not remember the name', async () => {
  const { signIn, door, memory } = open({ [ROUTE]: problem(401, 'sign-in-refused') });
  signIn.username = 'anna';
  signIn.password = 'wrong';
  await signIn.submit();
  expect(signIn.submission.problem?.code).toBe('sign-in-refused');
  expect([signIn.username, signIn.password]).toEqual(['anna', 'wrong']);
  expect(memory.getItem('keyswitch.username')).toBeNull();
  expect(door.page).not.toBe('home');
});

test('goes on to the change of the password with the ticket', async () => {
  const { signIn, door } = open({
    [ROUTE]: problem(403, 'password-change-required', { ticket: 't', why: 'expired' }),
  });
  signIn.username = 'anna';
  signIn.password = 'first';
  await signIn.submit();
  expect(door.change).toEqual({ ticket: 't', username: 'anna', why: 'expired' });
  expect(door.page).toBe('password-change');
});

test('looks for the host when it does not answer', async () => {
  const { signIn, door } = open({});
  signIn.username = 'anna';
  signIn.password = 'secret';
  await signIn.submit();
  await settle();
  expect(signIn.submission.problem?.code).toBe('unreachable');
  expect(door.reachable).toBe(false);
});

test.each([
  ['sign-in-refused', 401],
  ['too-many-tries', 429],
] as const)('%s makes the same name wait, and no other', async (code, status) => {
  const { signIn, calls, clock } = open({ [ROUTE]: problem(status, code, {}, { 'Retry-After': '300' }) });
  signIn.username = 'anna';
  signIn.password = 'wrong';
  await signIn.submit();
  await signIn.submit();
  expect([calls.length, signIn.submission.waitSec]).toEqual([1, 300]);
  signIn.username = 'bob';
  expect([signIn.submission.ready, signIn.submission.problem]).toEqual([true, null]);
  await clock.advance(2000);
  expect(signIn.submission.waitSec).toBe(0);
});

test('a busy host makes everybody wait', async () => {
  const { signIn } = open({ [ROUTE]: problem(503, 'busy', {}, { 'Retry-After': '5' }) });
  signIn.username = 'anna';
  signIn.password = 'wrong';
  await signIn.submit();
  signIn.username = 'bob';
  expect(signIn.submission.waitSec).toBe(5);
});
