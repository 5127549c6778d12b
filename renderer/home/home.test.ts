import { expect, test } from 'vitest';
import type { SessionView } from '../../server/http/contract.ts';
import { createApi } from '../shared/api.ts';
import { Door } from '../shared/door.svelte.ts';
import { HostClock } from '../shared/host-clock.svelte.ts';
import { APP_ID, createSession, createTestPorts, iso, json, problem, WELCOME } from '../shared/testing.ts';
import type { Answers } from '../shared/testing.ts';
import { Home } from './home.svelte.ts';

const MINUTE = 60_000;

function open(over: Partial<SessionView> = {}, answers: Answers = {}, appId: string | null = null) {
  const ports = createTestPorts({ 'GET /api/v1/welcome': json(WELCOME), ...answers });
  const api = createApi(ports.fetch);
  const clock = new HostClock(ports.clock);
  const door = new Door(appId, api, ports.clock, ports.memory);
  const session = createSession(over);
  door.signedIn(session);
  const home = new Home(session, door, api, ports, clock);
  home.live.start();
  const tell = (message: object, serverMs = ports.clock.monotonic()) =>
    ports.sockets.at(-1)?.tell({ serverTime: iso(serverMs), ...message });
  return { ...ports, door, home, session, tell };
}

function ended(reason: string) {
  return { type: 'session', session: null, reason };
}

test('counts down to the absolute limit', async () => {
  const { home, clock } = open();
  expect(home.leftMs).toBe(10 * MINUTE);
  expect(home.leftPart).toBe(1);
  await clock.advance(5 * MINUTE);
  expect(home.leftMs).toBe(5 * MINUTE);
  expect(home.leftPart).toBe(0.5);
});

test("counts by the host's clock, not by the PC's", () => {
  const { home, tell } = open();
  tell({ type: 'overview', apps: [], links: [] }, 4 * MINUTE);
  expect(home.leftMs).toBe(6 * MINUTE);
});

test('calls for attention under two minutes, and stops at zero', async () => {
  const { home, clock } = open();
  await clock.advance(8 * MINUTE);
  expect(home.attention).toBe(false);
  await clock.advance(1000);
  expect(home.attention).toBe(true);
  await clock.advance(5 * MINUTE);
  expect(home.leftMs).toBe(0);
});

test('counts to the idle limit where that comes first, and starts anew when it is renewed', async () => {
  const { home, clock, tell, session } = open({ idleExpiresAt: iso(4 * MINUTE) });
  tell({ type: 'session', session, reason: null });
  await clock.advance(2 * MINUTE);
  expect(home.limit).toMatchObject({ idle: true });
  expect(home.leftPart).toBe(0.5);
  tell({ type: 'session', session: { ...session, idleExpiresAt: iso(6 * MINUTE) }, reason: null });
  expect(home.leftMs).toBe(4 * MINUTE);
  expect(home.leftPart).toBe(1);
});

test('leaves with the reason that the host gives', () => {
  const { door, tell } = open({ app: { id: APP_ID, name: 'HMI' } }, {}, APP_ID);
  tell(ended('replaced'));
  expect(door.session).toBeNull();
  expect(door.ending).toEqual({ reason: 'replaced', place: 'HMI' });
});

test.each([
  [0, {}, 'unknown'],
  [11 * MINUTE, {}, 'time-limit'],
  [5 * MINUTE, { idleExpiresAt: iso(4 * MINUTE) }, 'idle'],
])('after %i ms finds a likely reason for an end it was not told of', async (ms, over, reason) => {
  const { door, clock, sockets, tell } = open(over);
  tell({ type: 'overview', apps: [], links: [] });
  await clock.advance(ms);
  sockets.at(-1)?.end(4401);
  expect(door.ending?.reason).toBe(reason);
});

test("leaves when the browser's session has become that of another app", () => {
  const { door, tell, session } = open({ app: { id: APP_ID, name: 'HMI' } }, {}, APP_ID);
  tell({ type: 'session', session: { ...session, app: { id: 'other', name: 'Other' } }, reason: null });
  expect(door.page).not.toBe('home');
});

test('shows every app but its own', () => {
  const { home, tell } = open({ app: { id: APP_ID, name: 'HMI' } });
  expect(home.otherApps).toBeUndefined();
  tell({ type: 'overview', apps: [{ id: APP_ID }, { id: 'other' }], links: [] });
  expect(home.otherApps).toEqual([{ id: 'other' }]);
});

test('tells of activity at most once a minute, and only where there is an idle limit', async () => {
  const { home, clock, sockets, tell, session } = open({ idleExpiresAt: iso(15 * MINUTE) });
  home.noteActivity();
  tell({ type: 'session', session, reason: null });
  home.noteActivity();
  home.noteActivity();
  expect(sockets[0]?.sent).toEqual([{ type: 'activity' }]);
  await clock.advance(MINUTE);
  home.noteActivity();
  expect(sockets[0]?.sent).toHaveLength(2);

  const without = open();
  without.tell({ type: 'session', session: without.session, reason: null });
  without.home.noteActivity();
  expect(without.sockets[0]?.sent).toEqual([]);
});

test('signs out', async () => {
  const { home, door } = open({}, { 'POST /api/v1/sign-out': () => new Response(null, { status: 204 }) });
  await home.signOut();
  expect(door.ending?.reason).toBe('signed-out');
});

test('stays while the host does not answer to a sign-out', async () => {
  const { home, door } = open();
  await home.signOut();
  expect(home.signingOut.problem?.code).toBe('unreachable');
  expect(door.page).toBe('home');
});

test('leaves when the host says that the session is over already', async () => {
  const { home, door } = open({}, { 'POST /api/v1/sign-out': problem(401, 'not-signed-in') });
  await home.signOut();
  expect(door.ending?.reason).toBe('unknown');
});
