import { expect, test } from 'vitest';
import { createApi } from '../shared/api.ts';
import { HostClock } from '../shared/host-clock.svelte.ts';
import { createLine } from '../shared/live.svelte.ts';
import { APP_ID, createTestPorts, iso, problem, type Answers } from '../shared/testing.ts';
import { AtTheControls } from './at-the-controls.svelte.ts';

function open(answers: Answers = {}) {
  const ports = createTestPorts(answers);
  const clock = new HostClock(ports.clock);
  const controls = new AtTheControls(APP_ID, createApi(ports.fetch), ports, createLine(ports, clock), clock);
  controls.live.start();
  return { ...ports, controls };
}

test("follows the app's current user", () => {
  const { controls, sockets } = open();
  const state = {
    authenticated: true,
    user: 'anna',
    displayName: 'Anna',
    role: '9',
    openedAt: iso(0),
    expiresAt: iso(9),
  };
  sockets[0]?.open();
  expect(sockets[0]?.sent).toEqual([{ type: 'subscribe', topic: 'app', appId: APP_ID }]);
  expect(controls.current).toBeNull();
  sockets[0]?.tell({ type: 'app', serverTime: iso(0), appId: APP_ID, run: 'r', revision: 1, state });
  expect(controls.current).toEqual(state);
});

test('signs them out', async () => {
  const route = `POST /api/v1/apps/${APP_ID}/sign-out`;
  const { controls, calls } = open({ [route]: () => new Response(null, { status: 204 }) });
  await controls.signOut();
  expect(calls).toEqual([{ route, body: undefined }]);
});

test('keeps the problem of a sign-out that failed', async () => {
  const { controls } = open({ [`POST /api/v1/apps/${APP_ID}/sign-out`]: problem(500, 'internal') });
  await controls.signOut();
  expect(controls.signingOut.problem?.code).toBe('internal');
});
