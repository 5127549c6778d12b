import { expect, test } from 'vitest';
import { Alarm } from '../shared/alarm.svelte.ts';
import { createApi } from '../shared/api.ts';
import { HostClock } from '../shared/host-clock.svelte.ts';
import { APP_ID, createTestPorts, iso, problem, type Answers } from '../shared/testing.ts';
import { AtTheControls } from './at-the-controls.svelte.ts';

function open(answers: Answers = {}) {
  const ports = createTestPorts(answers);
  const alarm = new Alarm();
  const clock = new HostClock(ports.clock);
  const controls = new AtTheControls(APP_ID, createApi(ports.fetch), ports, clock, alarm);
  controls.live.start();
  return { ...ports, alarm, controls };
}

test("follows the app's current user, and the emergencies of the plant", () => {
  const { alarm, controls, sockets } = open();
  const emergencies = [{ since: iso(0), app: 'HMI', user: null, reason: null }];
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
  sockets[0]?.tell({ type: 'app', serverTime: iso(0), appId: APP_ID, state, emergencies });
  expect(controls.current).toEqual(state);
  expect(alarm.emergencies).toEqual(emergencies);
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
