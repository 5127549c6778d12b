import { expect, test } from 'vitest';
import { createApi } from '../shared/api.ts';
import { Desktop } from '../shared/desktop.svelte.ts';
import { HostClock } from '../shared/host-clock.svelte.ts';
import { createLine } from '../shared/live.svelte.ts';
import { APP_ID, createTestPorts, iso, problem, TestBridge, type Answers } from '../shared/testing.ts';
import { Bar } from './bar.svelte.ts';

const LOCK = 'POST /api/v1/lock';
const SIGN_OUT = `POST /api/v1/apps/${APP_ID}/sign-out`;
const NO_CONTENT = (): Response => new Response(null, { status: 204 });
const ANNA = {
  authenticated: true,
  user: 'anna',
  displayName: 'Anna Berger',
  role: '9',
  openedAt: iso(0),
  expiresAt: iso(10 * 60_000),
};
const NOBODY = { authenticated: false, user: null, displayName: null, role: null };

function open(answers: Answers = {}) {
  const ports = createTestPorts(answers);
  const clock = new HostClock(ports.clock);
  const desktop = new Desktop(new TestBridge({ view: 'bar' }));
  const line = createLine(ports, clock);
  const bar = new Bar({ api: createApi(ports.fetch), clock, desktop, line, ports });
  bar.live.start();
  const [socket] = ports.sockets;
  // A host that is there.
  socket!.answer = ({ type }) =>
    type === 'ping' ? { type: 'pong', serverTime: iso(ports.clock.monotonic()), id: null } : undefined;
  socket!.open();
  let revision = 0;
  const tell = (state: object) =>
    socket!.tell({
      ...{ type: 'app', appId: APP_ID, run: 'r', state },
      ...{ revision: (revision += 1), serverTime: iso(ports.clock.monotonic()) },
    });
  return { ...ports, bar, tell, routes: () => ports.calls.map(({ route }) => route) };
}

test('shows who is at the controls of the station, and how long still', async () => {
  const { bar, tell, clock } = open();
  expect([bar.isKnown, bar.user]).toEqual([false, null]);
  tell(ANNA);
  expect([bar.user, bar.leftMs, bar.leftPart]).toEqual(['Anna Berger', 600_000, 1]);
  await clock.advance(300_000);
  expect([bar.leftMs, bar.leftPart]).toEqual([300_000, 0.5]);
  tell(NOBODY);
  expect([bar.isKnown, bar.user, bar.leftPart]).toEqual([true, null, 0]);
});

test('signs out whoever is there', async () => {
  const { bar, routes } = open({ [SIGN_OUT]: NO_CONTENT });
  await bar.signOut();
  expect(routes()).toEqual([SIGN_OUT]);
});

test("locks the window's page", async () => {
  const { bar, routes } = open({ [LOCK]: NO_CONTENT });
  await bar.lock();
  expect(routes()).toEqual([LOCK]);
});

test('signs out whoever has not signed in at the window, for no page of theirs could wait', async () => {
  const { bar, routes } = open({ [LOCK]: problem(401, 'not-signed-in'), [SIGN_OUT]: NO_CONTENT });
  await bar.lock();
  expect([routes(), bar.leaving.problem]).toEqual([[LOCK, SIGN_OUT], null]);
});

test('keeps the problem of a lock that failed', async () => {
  const { bar } = open({ [LOCK]: problem(500, 'internal') });
  await bar.lock();
  expect(bar.leaving.problem?.code).toBe('internal');
});
