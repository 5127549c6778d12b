import { expect, test } from 'vitest';
import { createApi } from './api.ts';
import { Door } from './door.svelte.ts';
import {
  APP_ID,
  createMemory,
  createSession,
  createTestPorts,
  json,
  problem,
  settle,
  WELCOME,
} from './testing.ts';
import type { Answers } from './testing.ts';

const SIGNED_OUT = problem(401, 'not-signed-in');

function open(answers: Answers, appId: string | null = null, memory = createMemory()) {
  const ports = createTestPorts(answers, memory);
  const door = new Door(appId, createApi(ports.fetch), ports.clock, memory);
  return { ...ports, door };
}

test('shows the sign-in page to whom the host does not know', async () => {
  const { door } = open({ 'GET /api/v1/welcome': json(WELCOME), 'GET /api/v1/session': SIGNED_OUT });
  expect(door.page).toBe('starting');
  door.reach();
  await settle();
  expect(door.page).toBe('sign-in');
  expect(door.ending).toBeNull();
});

test('is at home at once after a reload while the session lives', async () => {
  const session = createSession();
  const { door } = open({ 'GET /api/v1/welcome': json(WELCOME), 'GET /api/v1/session': json({ session }) });
  door.reach();
  await settle();
  expect(door.page).toBe('home');
});

test("does not take the session of another app for this page's", async () => {
  const session = createSession({ app: { id: 'other', name: 'Other' } });
  const { door } = open(
    { [`GET /api/v1/welcome?appId=${APP_ID}`]: json(WELCOME), 'GET /api/v1/session': json({ session }) },
    APP_ID,
  );
  door.reach();
  await settle();
  expect(door.page).toBe('sign-in');
});

test('says that the host does not answer, and goes on asking', async () => {
  const { door, clock, answers } = open({});
  door.reach();
  await settle();
  expect(door.reachable).toBe(false);
  expect(door.page).toBe('sign-in');
  answers['GET /api/v1/welcome'] = json(WELCOME);
  answers['GET /api/v1/session'] = SIGNED_OUT;
  await clock.advance(250);
  expect(door.reachable).toBe(true);
});

test('asks once at a time', async () => {
  const { door, calls } = open({});
  door.reach();
  door.reach();
  await settle();
  expect(calls).toHaveLength(1);
});

test('says that the host does not know the app', async () => {
  const { door } = open(
    { [`GET /api/v1/welcome?appId=${APP_ID}`]: json(WELCOME), 'GET /api/v1/session': SIGNED_OUT },
    APP_ID,
  );
  door.reach();
  await settle();
  expect(door.appUnknown).toBe(true);
});

test('remembers who signed in last, and nothing else', () => {
  const memory = createMemory();
  open({}, null, memory).door.signedIn(createSession());
  expect(open({}, null, memory).door.lastUsername).toBe('anna');
});

test('says where and why a session ended', () => {
  const { door } = open({});
  door.signedIn(createSession({ app: { id: APP_ID, name: 'HMI' } }));
  door.leave('plc');
  expect(door.ending).toEqual({ reason: 'plc', place: 'HMI' });
  door.signedIn(createSession());
  expect(door.ending).toBeNull();
});
