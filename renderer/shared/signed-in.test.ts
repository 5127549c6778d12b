import { expect, test } from 'vitest';
import type { SessionView } from '../../server/http/contract.ts';
import { Alarm } from './alarm.svelte.ts';
import { createApi } from './api.ts';
import { Desktop } from './desktop.svelte.ts';
import { Door, type Ending } from './door.svelte.ts';
import { HostClock } from './host-clock.svelte.ts';
import { createLine } from './live.svelte.ts';
import { Router } from './router.svelte.ts';
import { SignedIn } from './signed-in.svelte.ts';
import { APP_ID, createSession, createTestPorts, iso, problem, TestBridge } from './testing.ts';
import type { Answers } from './testing.ts';

const MINUTE = 60_000;

function open(
  over: Partial<SessionView> = {},
  answers: Answers = {},
  appId: string | null = null,
  bridge?: DesktopBridge,
) {
  const ports = createTestPorts(answers);
  const api = createApi(ports.fetch);
  const clock = new HostClock(ports.clock);
  const door = new Door(appId, api, ports.clock, ports.memory);
  const session = createSession(over);
  door.signedIn(session);
  const line = createLine(ports, clock);
  const [alarm, router] = [new Alarm(), new Router(ports.address)];
  const desktop = new Desktop(bridge);
  const signedIn = new SignedIn(session, { alarm, api, clock, desktop, door, line, ports, router });
  signedIn.enter(session);
  const [socket] = ports.sockets;
  // A host that is there.
  socket!.answer = ({ type }) =>
    type === 'ping' ? { type: 'pong', serverTime: iso(ports.clock.monotonic()), id: null } : undefined;
  socket!.open();
  const activity = (): number => socket!.sent.filter((message) => isActivity(message)).length;
  const tell = (message: object, serverMs = ports.clock.monotonic()) =>
    ports.sockets.at(-1)?.tell({ serverTime: iso(serverMs), ...message });
  return { ...ports, alarm, door, router, signedIn, session, activity, tell };
}

function isActivity(message: unknown): boolean {
  return (message as { type: string }).type === 'activity';
}

const OVERVIEW = { type: 'overview', apps: [], links: [], emergencies: [] };

function ended(reason: string) {
  return { type: 'session', session: null, reason };
}

test('counts down to the absolute limit', async () => {
  const { signedIn, clock } = open();
  expect(signedIn.leftMs).toBe(10 * MINUTE);
  expect(signedIn.leftPart).toBe(1);
  await clock.advance(5 * MINUTE);
  expect(signedIn.leftMs).toBe(5 * MINUTE);
  expect(signedIn.leftPart).toBe(0.5);
});

test("counts by the host's clock, not by the PC's", () => {
  const { signedIn, tell } = open();
  tell(OVERVIEW, 4 * MINUTE);
  expect(signedIn.leftMs).toBe(6 * MINUTE);
});

test('calls for attention under two minutes, and stops at zero', async () => {
  const { signedIn, clock } = open();
  await clock.advance(8 * MINUTE);
  expect(signedIn.attention).toBe(false);
  await clock.advance(1000);
  expect(signedIn.attention).toBe(true);
  await clock.advance(5 * MINUTE);
  expect(signedIn.leftMs).toBe(0);
});

test('counts to the idle limit where that comes first, and starts anew when it is renewed', async () => {
  const { signedIn, clock, tell, session } = open({ idleExpiresAt: iso(4 * MINUTE) });
  tell({ type: 'session', session, reason: null });
  await clock.advance(2 * MINUTE);
  expect(signedIn.limit).toMatchObject({ idle: true });
  expect(signedIn.leftPart).toBe(0.5);
  tell({ type: 'session', session: { ...session, idleExpiresAt: iso(6 * MINUTE) }, reason: null });
  expect(signedIn.leftMs).toBe(4 * MINUTE);
  expect(signedIn.leftPart).toBe(1);
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
  tell(OVERVIEW);
  await clock.advance(ms);
  sockets.at(-1)?.end(4401);
  expect(door.ending?.reason).toBe(reason);
});

test("leaves when the browser's session has become that of another app", () => {
  const { door, tell, session } = open({ app: { id: APP_ID, name: 'HMI' } }, {}, APP_ID);
  tell({ type: 'session', session: { ...session, app: { id: 'other', name: 'Other' } }, reason: null });
  expect(door.page).not.toBe('home');
});

test('tells of activity at most once a minute, and only where there is an idle limit', async () => {
  const { signedIn, clock, activity, tell } = open({ idleExpiresAt: iso(15 * MINUTE) });
  signedIn.noteActivity();
  tell(OVERVIEW);
  expect(activity()).toBe(0);
  signedIn.noteActivity();
  signedIn.noteActivity();
  expect(activity()).toBe(1);
  await clock.advance(MINUTE);
  signedIn.noteActivity();
  expect(activity()).toBe(2);

  const without = open();
  without.tell(OVERVIEW);
  without.signedIn.noteActivity();
  expect(without.activity()).toBe(0);
});

test('signs out', async () => {
  const { signedIn, door } = open({}, { 'POST /api/v1/sign-out': () => new Response(null, { status: 204 }) });
  await signedIn.signOut();
  expect(door.ending?.reason).toBe('signed-out');
});

test('stays while the host does not answer to a sign-out', async () => {
  const { signedIn, door } = open();
  await signedIn.signOut();
  expect(signedIn.signingOut.problem?.code).toBe('unreachable');
  expect(door.page).toBe('home');
});

test('leaves when the host says that the session is over already', async () => {
  const { signedIn, door } = open({}, { 'POST /api/v1/sign-out': problem(401, 'not-signed-in') });
  await signedIn.signOut();
  expect(door.ending?.reason).toBe('unknown');
});

test.each([
  [MINUTE, 30_000],
  [3 * MINUTE, 90_000],
  [4 * MINUTE, 2 * MINUTE],
  [15 * MINUTE, 2 * MINUTE],
])('with an idle limit of %i ms calls for attention in the last %i', async (idleMs, attentionMs) => {
  const { signedIn, clock, tell, session } = open({
    idleExpiresAt: iso(idleMs),
    expiresAt: iso(60 * MINUTE),
  });
  tell({ type: 'session', session, reason: null });
  await clock.advance(idleMs - attentionMs);
  expect(signedIn.attention).toBe(false);
  await clock.advance(1000);
  expect(signedIn.attention).toBe(true);
});

test('stays signed in at once when that is asked for, whenever it told of activity last', () => {
  const { signedIn, activity, tell } = open({ idleExpiresAt: iso(15 * MINUTE) });
  tell(OVERVIEW);
  signedIn.noteActivity();
  signedIn.stay();
  expect(activity()).toBe(2);
});

test('shows the emergencies that the host tells of, and none once it is stopped', () => {
  const { signedIn, alarm, tell } = open();
  const emergencies = [{ since: iso(0), app: 'HMI', user: 'glass', reason: 'fire' }];
  tell({ ...OVERVIEW, emergencies });
  expect(alarm.emergencies).toEqual(emergencies);
  signedIn.stop();
  expect(alarm.emergencies).toEqual([]);
});

const REASONS: [Ending, boolean][] = [
  ['idle', true],
  ['time-limit', true],
  ['replaced', true],
  ['plc', true],
  ['ended-by-administrator', true],
  ['password-changed', true],
  ['signed-out', false],
  ['user-disabled', false],
  ['station-left', false],
];

test.each(REASONS)('an end by %s lets work wait: %s', (reason, waits) => {
  const { door, router, tell } = open();
  router.keep(() => true);
  tell(ended(reason));
  expect(door.pause).toEqual(waits ? { reason, handover: false } : null);
  expect(door.session !== null).toBe(waits);
  expect(door.ending?.reason).toBe(waits ? undefined : reason);
});

test.each(REASONS)('an end by %s leaves a page without work', (reason) => {
  const { door, router, tell } = open();
  router.keep(() => false);
  tell(ended(reason));
  expect([door.pause, door.session, door.ending?.reason]).toEqual([null, null, reason]);
});

test('the close of the connection does not take the place of the reason before it', () => {
  const { door, router, sockets, tell } = open();
  router.keep(() => true);
  tell(ended('ended-by-administrator'));
  sockets[0]?.end(4401);
  expect(door.pause?.reason).toBe('ended-by-administrator');
});

test('work cannot wait for somebody who came in by an envelope', () => {
  const { door, router, session, tell } = open();
  router.keep(() => true);
  const emergency = { since: iso(0), app: null, user: session.user.name, reason: 'fire' };
  tell({ ...OVERVIEW, emergencies: [emergency] });
  tell(ended('time-limit'));
  expect([door.pause, door.ending?.reason]).toEqual([null, 'time-limit']);
});

test('lets work wait where the host knows of no session any more', () => {
  const { door, router, sockets } = open();
  router.keep(() => true);
  sockets[0]?.end(4401);
  expect(door.pause?.reason).toBe('unknown');
});

test('follows the session of the same person who has signed in again', () => {
  const { signedIn, door, sockets, tell } = open();
  tell(OVERVIEW);
  const next = createSession({ id: 'session-2', expiresAt: iso(99 * MINUTE) });
  door.wait('time-limit');
  door.signedIn(next);
  signedIn.enter(next);
  expect(sockets).toHaveLength(2);
  sockets[1]?.open();
  expect(sockets[1]?.sent).toEqual([{ type: 'subscribe', topic: 'overview' }]);
  expect(signedIn.limit.at).toBe(Date.parse(next.expiresAt));
});

test('the end of the former session is no end while signing in again before the limit', () => {
  const { door, tell } = open();
  door.wait(null);
  tell(ended('replaced'));
  expect(door.pause?.reason).toBe('replaced');
  door.signedIn(createSession({ id: 'session-2' }));
  expect([door.pause, door.visits]).toEqual([null, 1]);
});

const LOCK = 'POST /api/v1/lock';
const NO_CONTENT = (): Response => new Response(null, { status: 204 });

test('locked, the page waits, with or without work', async () => {
  const { signedIn, door, calls } = open({}, { [LOCK]: NO_CONTENT });
  await signedIn.lock();
  expect(calls.map(({ route }) => route)).toEqual([LOCK]);
  expect([door.pause, door.session?.id]).toEqual([{ reason: 'screen-locked', handover: false }, 'session-1']);
});

test('knows when it was locked, however often somebody tries to come in', async () => {
  const { signedIn, door, clock } = open({}, { [LOCK]: NO_CONTENT });
  await clock.advance(MINUTE);
  await signedIn.lock();
  const lockedAt = signedIn.endedAt;
  expect(lockedAt).toBe(Date.parse(iso(MINUTE)));
  await clock.advance(MINUTE);
  door.change = { ticket: 't', username: 'anna', why: 'expired' };
  door.leave('ticket');
  expect(signedIn.endedAt).toBe(lockedAt);
});

test('locked from elsewhere, the page waits as well', () => {
  const { door, tell } = open();
  tell(ended('screen-locked'));
  expect([door.pause?.reason, door.session?.id]).toEqual(['screen-locked', 'session-1']);
});

test('is locked once, however many ask for it', async () => {
  const { signedIn, calls, tell } = open({}, { [LOCK]: NO_CONTENT });
  tell(ended('screen-locked'));
  await signedIn.lock();
  expect(calls).toEqual([]);
});

test('a page that could not be locked is not covered as if it were', async () => {
  const { signedIn, door } = open({}, { [LOCK]: problem(500, 'internal') });
  await signedIn.lock();
  expect([signedIn.locking.problem?.code, door.pause]).toEqual(['internal', null]);
});

test('a lock that finds no session any more says so', async () => {
  const { signedIn, door } = open({}, { [LOCK]: problem(401, 'not-signed-in') });
  await signedIn.lock();
  expect(door.ending?.reason).toBe('unknown');
});

test('a lock cannot wait for somebody who came in by an envelope', async () => {
  const { signedIn, door, session, tell } = open({}, { [LOCK]: NO_CONTENT });
  tell({ ...OVERVIEW, emergencies: [{ since: iso(0), app: null, user: session.user.name, reason: 'fire' }] });
  await signedIn.lock();
  expect([door.pause, door.ending?.reason]).toEqual([null, 'screen-locked']);
});

test('tells of activity more often where the idle limit is short', async () => {
  const { signedIn, clock, activity, tell } = open({ idleExpiresAt: iso(MINUTE) });
  tell(OVERVIEW);
  signedIn.noteActivity();
  await clock.advance(5000);
  signedIn.noteActivity();
  expect(activity()).toBe(1);
  await clock.advance(1000);
  signedIn.noteActivity();
  expect(activity()).toBe(2);
});

test('counts with the desktop, which knows of every touch on the computer, while it counts', () => {
  const bridge = new TestBridge();
  const { signedIn } = open({ app: { id: APP_ID, name: 'HMI' } }, {}, APP_ID, bridge);
  bridge.tellIdleLeft(42_000);
  expect([signedIn.attention, signedIn.leftMs, signedIn.limit.idle]).toEqual([true, 42_000, true]);
  bridge.tellIdleLeft(null);
  expect([signedIn.attention, signedIn.leftMs, signedIn.limit.idle]).toEqual([false, 10 * MINUTE, false]);
});

test('the count of the desktop is about the user at its station alone', () => {
  const bridge = new TestBridge();
  const { signedIn } = open({ app: { id: 'another', name: 'Other' } }, {}, 'another', bridge);
  bridge.tellIdleLeft(42_000);
  expect([signedIn.attention, signedIn.leftMs]).toEqual([false, 10 * MINUTE]);
});
