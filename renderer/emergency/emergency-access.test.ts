import { expect, test } from 'vitest';
import { createApi } from '../shared/api.ts';
import { Door } from '../shared/door.svelte.ts';
import { APP_ID, createSession, createTestPorts, json, problem, type Answers } from '../shared/testing.ts';
import { EmergencyAccess } from './emergency-access.svelte.ts';

const ROUTE = 'POST /api/v1/emergency/sign-in';
const CODE = '7K3QX-09MZB-7K3QX-09MZB-7K3QX';

function open(answers: Answers = {}, appId: string | null = null) {
  const ports = createTestPorts(answers);
  const api = createApi(ports.fetch);
  const door = new Door(appId, api, ports.clock, ports.memory);
  return { ...ports, door, access: new EmergencyAccess(door, api, ports.clock) };
}

test.each([
  ['', 'a fire', 'emergency.codeMissing'],
  ['7K3QX', 'a fire', 'emergency.codeShort'],
  [`${CODE}7`, 'a fire', 'emergency.codeLong'],
  [CODE, '', 'emergency.reasonMissing'],
  [CODE, ' a ', 'emergency.reasonMissing'],
])('the code %j for the reason %j is not sent: %s', async (code, reason, key) => {
  const { access, calls } = open();
  access.code = code;
  access.reason = reason;
  await access.submit();
  expect(access.fault?.key).toBe(key);
  expect(calls).toEqual([]);
});

test.each([
  [null, {}],
  [APP_ID, { appId: APP_ID }],
])(
  'signs in with the code as the host spells it, and asks to seal the new one (app %s)',
  async (appId, at) => {
    const session = createSession();
    const sealed = { username: 'glass', secret: 'new', sealedAt: session.openedAt };
    const { access, door, calls } = open({ [ROUTE]: json({ session, sealed }) }, appId);
    access.code = CODE.toLowerCase().replaceAll('-', ' ');
    access.reason = ' a fire ';
    await access.submit();
    expect(calls[0]?.body).toEqual({ secret: CODE, reason: 'a fire', presentation: 'cookie', ...at });
    expect([door.page, door.unsealed?.sealed?.secret, door.session]).toEqual(['envelope', 'new', null]);
  },
);

test.each([
  [problem(401, 'sign-in-refused'), 'emergency.codeRefused'],
  [
    problem(400, 'invalid-input', { faults: [{ field: 'secret', message: 'is mistyped' }] }),
    'emergency.codeMistyped',
  ],
  [problem(500, 'internal'), undefined],
])('keeps what was typed when it is refused: %#', async (answer, key) => {
  const { access } = open({ [ROUTE]: answer });
  access.code = CODE;
  access.reason = 'a fire';
  await access.submit();
  expect([access.fault?.key, access.code, access.reason]).toEqual([key, CODE, 'a fire']);
});
