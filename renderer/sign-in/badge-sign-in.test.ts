import { expect, test } from 'vitest';
import { createApi } from '../shared/api.ts';
import { Door } from '../shared/door.svelte.ts';
import { APP_ID, createSession, createTestPorts, json, problem, type Answers } from '../shared/testing.ts';
import { BadgeSignIn } from './badge-sign-in.svelte.ts';

const ROUTE = 'POST /api/v1/badge-sign-in';
const BADGE = '04A2B3C4';
const wanted = (factor: 'pin' | 'password') => problem(403, 'second-factor-required', { factor });

function open(answers: Answers, appId: string | null = null) {
  const ports = createTestPorts(answers);
  const api = createApi(ports.fetch);
  const door = new Door(appId, api, ports.clock, ports.memory);
  return { ...ports, door, badges: new BadgeSignIn(door, api, ports.clock) };
}

/** A badge is read, and the host wants a PIN. */
async function openStep(answers: Answers = {}) {
  const opened = open({ [ROUTE]: wanted('pin') });
  await opened.badges.scanned(BADGE);
  Object.assign(opened.answers, answers);
  return opened;
}

test("signs in with the badge alone where the host asks for no more, at the page's app", async () => {
  const { badges, door, calls } = open({ [ROUTE]: json({ session: createSession() }) }, APP_ID);
  await badges.scanned(BADGE);
  expect(calls[0]?.body).toEqual({ badge: BADGE, appId: APP_ID, presentation: 'cookie' });
  expect([door.page, badges.factor]).toEqual(['home', null]);
});

test.each(['pin', 'password'] as const)(
  'asks for the %s that the host names, and sends both',
  async (factor) => {
    const { badges, door, answers, calls } = open({ [ROUTE]: wanted(factor) });
    await badges.scanned(BADGE);
    expect([badges.factor, badges.submission.problem]).toEqual([factor, null]);
    await badges.submit();
    expect([badges.hint, calls.length]).toEqual([`badge.missing.${factor}`, 1]);
    badges.secondFactor = '271828';
    expect(badges.hint).toBeNull();
    answers[ROUTE] = json({ session: createSession() });
    await badges.submit();
    expect(calls[1]?.body).toEqual({ badge: BADGE, secondFactor: '271828', presentation: 'cookie' });
    expect([door.page, badges.secondFactor]).toEqual(['home', '']);
  },
);

test('stays at the question when the answer is wrong, and forgets it', async () => {
  const { badges } = await openStep({ [ROUTE]: problem(401, 'sign-in-refused') });
  badges.secondFactor = '000111';
  await badges.submit();
  expect(badges.submission.problem?.code).toBe('sign-in-refused');
  expect([badges.factor, badges.secondFactor]).toEqual(['pin', '']);
});

test('too many tries wait, and another badge does not wait for them', async () => {
  const { badges, calls, answers } = await openStep({
    [ROUTE]: problem(429, 'too-many-tries', {}, { 'Retry-After': '30' }),
  });
  badges.secondFactor = '000111';
  await badges.submit();
  badges.secondFactor = '000112';
  await badges.submit();
  expect([calls.length, badges.submission.waitSec]).toEqual([2, 30]);
  answers[ROUTE] = wanted('pin');
  await badges.scanned('another one');
  expect(calls[2]?.body).toEqual({ badge: 'another one', presentation: 'cookie' });
  expect([badges.submission.waitSec, badges.factor]).toEqual([0, 'pin']);
});

test('goes back to the start a minute after the last character', async () => {
  const { badges, clock, calls } = await openStep();
  await clock.advance(59_000);
  badges.secondFactor = '2';
  await clock.advance(59_000);
  expect(badges.factor).toBe('pin');
  await clock.advance(1000);
  expect([badges.factor, badges.secondFactor, badges.hint]).toEqual([null, '', 'badge.timedOut']);
  await badges.submit();
  expect(calls).toHaveLength(1);
});

test('puts the badge aside when asked to', async () => {
  const { badges, clock } = await openStep();
  badges.secondFactor = '2718';
  badges.cancel();
  expect([badges.factor, badges.secondFactor, badges.hint]).toEqual([null, '', null]);
  await clock.advance(60_000);
  expect(badges.hint).toBeNull();
});

test('says so when a reader typed no badge, and asks the host nothing', async () => {
  const { badges, calls } = open({});
  await badges.scanned(null);
  expect([badges.hint, calls]).toEqual(['badge.unreadable', []]);
});

test('hears no other badge while one is on its way', async () => {
  const { badges, calls } = open({ [ROUTE]: wanted('pin') });
  await Promise.all([badges.scanned(BADGE), badges.scanned('another one')]);
  expect(calls).toHaveLength(1);
});

test('tells of a refused badge where no more was asked for', async () => {
  const { badges } = open({ [ROUTE]: problem(401, 'sign-in-refused') });
  await badges.scanned(BADGE);
  expect([badges.factor, badges.submission.problem?.code]).toEqual([null, 'sign-in-refused']);
});

test('goes on to the change of the password with the ticket', async () => {
  const { badges, door } = await openStep({
    [ROUTE]: problem(403, 'password-change-required', { ticket: 't', why: 'expired' }),
  });
  badges.secondFactor = 'the former password';
  await badges.submit();
  expect(door.change).toEqual({ ticket: 't', username: '', why: 'expired' });
  expect(badges.factor).toBeNull();
});

test('looks for the host when it does not answer, and keeps the question', async () => {
  const { badges, door } = await openStep({ [ROUTE]: 'silent' });
  badges.secondFactor = '271828';
  await badges.submit();
  expect([badges.submission.problem?.code, badges.factor]).toEqual(['unreachable', 'pin']);
  await Promise.resolve();
  expect(door.reachable).toBe(false);
});
