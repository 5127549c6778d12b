/** PLCs that hang beside one that does not: nobody else waits for them. */
import { expect, it, vi } from 'vitest';
import {
  everyoneSees,
  expectSeen,
  proxyTo,
  SOON,
  startPlant,
  startPlc,
  subscribeAll,
  untilLost,
  untilState,
  WORD,
} from './rig.ts';

it('a frozen and a black-holed PLC hold up no other PLC, no subscriber and no sign-in', async () => {
  const plant = await startPlant();
  const [well, frozen, dark] = [await startPlc(), await startPlc(), await startPlc()];
  const hole = await proxyTo(dark.port);
  const app = await plant.addApp(well.port);
  const hung = [await plant.addApp(frozen.port), await plant.addApp(hole.port)] as const;
  const { subscribers, slow } = await subscribeAll(plant.host, app);
  for (const each of [app, ...hung]) await untilState(each, 'online');
  await frozen.freeze();
  await hole.blackHole();
  for (const each of hung) {
    await each.signIn('olivia');
    await untilLost(each);
  }

  // The PLC's way and the host's way, while the others are being tried again and again.
  await well.setWord(WORD, 9);
  await everyoneSees('olivia', app, well, subscribers);
  await app.signIn('sam');
  await everyoneSees('sam', app, well, subscribers);
  for (const each of hung) {
    await each.signOut();
    await each.signIn('tess');
    expect(await each.user()).toBe('tess');
  }
  await app.signOut();
  await everyoneSees(null, app, well, subscribers);
  expectSeen([...subscribers, slow], [null, 'olivia', 'sam', null]);
  expect(app.states.slice(app.states.indexOf('online'))).toEqual(['online']);

  frozen.thaw();
  await hole.heal();
  for (const [each, plc] of [
    [hung[0], frozen],
    [hung[1], dark],
  ] as const) {
    await everyoneSees('tess', each, plc);
    await vi.waitFor(() => expect(each.link()).toMatchObject({ state: 'online', pending: false }), SOON);
  }
});

it('a link on the same PLC does not wait for another whose value the PLC does not take', async () => {
  const plant = await startPlant();
  const plc = await startPlc(0, { size: 200 });
  const [good, beyond] = [await plant.addApp(plc.port), await plant.addApp(plc.port, { address: 'W300' })];
  await untilState(good, 'online');
  await beyond.signIn('olivia');
  await good.signIn('sam');
  await everyoneSees('sam', good, plc);
  await plc.setWord(WORD, 7);
  await everyoneSees('tess', good, plc);
  expect(await beyond.user()).toBe('olivia');
});
