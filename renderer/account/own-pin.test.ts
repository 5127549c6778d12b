import { expect, test } from 'vitest';
import { createApi } from '../shared/api.ts';
import { createTestPorts, problem, type Answers } from '../shared/testing.ts';
import { OwnPin } from './own-pin.svelte.ts';

const PUT = 'PUT /api/v1/pin';
const GOOD = '271828';
const gone = () => new Response(null, { status: 204 });

function open(answers: Answers = {}) {
  const ports = createTestPorts(answers);
  return { ...ports, pin: new OwnPin(6, createApi(ports.fetch), ports.clock) };
}

function type(pin: OwnPin, newPin = GOOD): void {
  pin.currentPassword = 'the quiet pump house';
  pin.newSecret = pin.repetition = newPin;
}

test.each([
  ['', []],
  ['2718', ['pin.notSimple', 'change.equal']],
  ['271828', ['pin.length', 'pin.notSimple', 'change.equal']],
  ['27182x', ['pin.notSimple', 'change.equal']],
  ['123456', ['pin.length', 'change.equal']],
  ['2718281828459', ['pin.notSimple', 'change.equal']],
])('the rules met by %j are %j', (newPin, met) => {
  const { pin } = open();
  type(pin, newPin);
  expect(pin.rules.filter((rule) => rule.met).map(({ key }) => key)).toEqual(met);
});

test('asks for the current password and for every rule before it asks the host', async () => {
  const { pin, calls } = open();
  pin.newSecret = pin.repetition = GOOD;
  await pin.set();
  expect(pin.fault).toEqual({ field: 'current', key: 'account.currentMissing' });
  type(pin, '777777');
  await pin.set();
  expect(pin.fault).toEqual({ field: 'new', key: 'pin.unmet' });
  expect(calls).toEqual([]);
});

test('sets the PIN and forgets what was typed', async () => {
  const { pin, calls } = open({ [PUT]: gone });
  type(pin);
  expect(pin.hasWork).toBe(true);
  await pin.set();
  expect(calls).toEqual([{ route: PUT, body: { currentPassword: 'the quiet pump house', newPin: GOOD } }]);
  expect([pin.isSet, pin.hasWork, pin.fault]).toEqual([true, false, null]);
});

test('keeps what was typed when the current password is wrong', async () => {
  const { pin } = open({ [PUT]: problem(401, 'sign-in-refused') });
  type(pin);
  await pin.set();
  expect([pin.fault?.field, pin.isSet, pin.newSecret]).toEqual(['current', false, GOOD]);
});

test("keeps the host's own faults", async () => {
  const faults = [{ field: 'newPin', message: 'Too simple.', rule: 'not-simple' }];
  const { pin } = open({ [PUT]: problem(400, 'pin-unacceptable', { faults }) });
  type(pin);
  await pin.set();
  expect(pin.setting.problem?.refusals).toEqual(faults);
});
