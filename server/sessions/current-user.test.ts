import { expect, test } from 'vitest';
import { DOOR, MINUTE_MS, openControlRoom, type ControlRoom } from '../../test/house.ts';
import { onCurrentUser } from './current-user.ts';

/** Follows the HMI's current user from now on: the names that are told, `-` for nobody. */
function follow({ house, hmi }: ControlRoom) {
  const told: string[] = [];
  const stop = onCurrentUser(house.features.bus, hmi.id, (session) => told.push(session?.user.name ?? '-'));
  return { told, stop };
}

test('tells who comes and that nobody is left', async () => {
  const room = await openControlRoom();
  const { house, hmi } = room;
  const { told } = follow(room);
  await house.signIn('operator', { app: hmi });
  await house.features.sessions.endAtApp(hmi.id, 'signed-out', DOOR);
  await house.signIn('supervisor', { app: hmi });
  await house.advance(10 * MINUTE_MS);
  expect(told).toEqual(['operator', '-', 'supervisor', '-']);
});

test('tells of one user after the other without nobody in between', async () => {
  const room = await openControlRoom();
  const { house, hmi } = room;
  const { told } = follow(room);
  await Promise.all(['operator', 'supervisor', 'operator'].map((name) => house.signIn(name, { app: hmi })));
  expect(told).toHaveLength(3);
  expect(told).not.toContain('-');
});

test('tells nothing of other apps and of Keyswitch itself, nor after it was stopped', async () => {
  const room = await openControlRoom();
  const { house, hmi, boiler } = room;
  const { told, stop } = follow(room);
  await house.signIn('operator', { app: boiler });
  const page = await house.signIn('operator');
  await house.features.sessions.end(page.session.id, 'signed-out', DOOR);
  stop();
  await house.signIn('operator', { app: hmi });
  expect(told).toEqual([]);
});
