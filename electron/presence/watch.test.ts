import { describe, expect, onTestFinished, test } from 'vitest';
import type { App } from '../../server/apps/app.ts';
import {
  DAY_MS,
  HOUR_MS,
  MINUTE_MS,
  openHouse,
  SECOND_MS,
  ADMINISTRATOR,
  type House,
} from '../../test/house.ts';
import type { Look, Policy, Tiding } from './presence-rules.ts';
import { createStation } from '../station.ts';
import { createWatch, type Watch } from './watch.ts';

const POLICY: Policy = { onScreenLock: 'lock', onSuspend: 'lock', onUserSwitch: 'end' };

interface Desk {
  readonly house: House;
  readonly station: App;
  readonly watch: Watch;
  /** What the operating system would answer; the idle time goes on by itself. */
  readonly system: { touchedAt: number; isLocked: boolean; looks: number; idleSec?: number };
  /** All that the pages were told, in seconds. */
  readonly told: (number | null)[];
  /** Lets the time pass second by second, as it does. */
  pass(ms: number): Promise<void>;
  /** Somebody moves a mouse, in whatever program. */
  touch(): void;
  signedIn(): string | null;
}

async function openDesk(idleLimitInMin: number | null = 5, policy: Partial<Policy> = {}): Promise<Desk> {
  const house = await openHouse();
  const { clock, features, log } = house;
  await house.addUser('operator');
  const limits = { logoutTimeInMin: 600, idleLimitInMin };
  const { app: station } = await features.apps.add({ name: 'desk', ...limits, station: true }, ADMINISTRATOR);
  const system: Desk['system'] = { touchedAt: clock.monotonic() - MINUTE_MS, isLocked: false, looks: 0 };
  const told: (number | null)[] = [];
  const look = (): Look => {
    system.looks += 1;
    const idleSec = Math.floor((clock.monotonic() - system.touchedAt) / SECOND_MS);
    return { idleSec: system.idleSec ?? idleSec, isLocked: system.isLocked };
  };
  const host = { features };
  const watch = createWatch(
    {
      host,
      station: createStation(host, log),
      views: { tellIdleLeft: (leftMs) => told.push(leftMs === null ? null : leftMs / SECOND_MS) },
      clock,
      log,
      look,
    },
    { ...POLICY, ...policy },
  );
  onTestFinished(watch.close);
  return {
    ...{ house, station, watch, system, told },
    async pass(ms) {
      for (let left = ms; left > 0; left -= SECOND_MS) await house.advance(Math.min(left, SECOND_MS));
    },
    touch: () => void (system.touchedAt = clock.monotonic()),
    signedIn: () => features.sessions.ofApp(station.id)?.user.name ?? null,
  };
}

const signIn = ({ house, station }: Desk) => house.signIn('operator', { app: station });

describe('the idle limit of the station', () => {
  test('does not pass while somebody uses the PC, in whatever program', async () => {
    const desk = await openDesk();
    await signIn(desk);
    for (let minutes = 0; minutes < 20; minutes += 1) {
      await desk.pass(MINUTE_MS);
      desk.touch();
    }
    await desk.pass(SECOND_MS);
    expect(desk.signedIn()).toBe('operator');
    expect(desk.told).toEqual([]);
  });

  test('is counted down in its last minute, second by second, and ends the session', async () => {
    const desk = await openDesk();
    await signIn(desk);
    await desk.pass(4 * MINUTE_MS - SECOND_MS);
    expect(desk.told).toEqual([]);
    await desk.pass(MINUTE_MS);
    expect(desk.told).toEqual(Array.from({ length: 60 }, (_, second) => 60 - second));
    await desk.pass(SECOND_MS);
    expect(desk.told.at(-1)).toBeNull();
    expect(desk.signedIn()).toBeNull();
    expect(desk.house.story().at(-1)).toBe('operator at desk ended: idle');
  });

  test.each([1, 59])('%d s into its countdown any input cancels it within a second', async (seconds) => {
    const desk = await openDesk();
    await signIn(desk);
    await desk.pass(4 * MINUTE_MS + seconds * SECOND_MS);
    expect(desk.told.at(-1)).toBe(60 - seconds);
    desk.touch();
    await desk.pass(SECOND_MS);
    expect(desk.told.at(-1)).toBeNull();
    await desk.pass(3 * MINUTE_MS);
    expect(desk.told.at(-1)).toBeNull();
    expect(desk.signedIn()).toBe('operator');
  });

  test('is counted down in its last half where it is a minute', async () => {
    const desk = await openDesk(1);
    await signIn(desk);
    await desk.pass(29 * SECOND_MS);
    expect(desk.told).toEqual([]);
    await desk.pass(SECOND_MS);
    expect(desk.told).toEqual([30]);
  });

  test('is none where the station has none', async () => {
    const desk = await openDesk(null);
    await signIn(desk);
    await desk.pass(HOUR_MS / 2);
    expect(desk.signedIn()).toBe('operator');
    expect(desk.told).toEqual([]);
  });

  test('passes where the system cannot tell the idle time and says 0 for ever', async () => {
    const desk = await openDesk();
    desk.system.idleSec = 0;
    await signIn(desk);
    await desk.pass(5 * MINUTE_MS);
    expect(desk.signedIn()).toBeNull();
  });

  test('is not asked for while nobody is there', async () => {
    const desk = await openDesk();
    await desk.pass(MINUTE_MS);
    expect(desk.system.looks).toBe(0);
    await signIn(desk);
    await desk.house.features.sessions.endAtApp(desk.station.id, 'signed-out', ADMINISTRATOR);
    const { looks } = desk.system;
    await desk.pass(MINUTE_MS);
    expect(desk.system.looks).toBe(looks);
  });

  test('is not lengthened by activity of the user before', async () => {
    const desk = await openDesk();
    await desk.house.addUser('supervisor');
    await signIn(desk);
    await desk.pass(4 * MINUTE_MS + 30 * SECOND_MS);
    expect(desk.told.at(-1)).toBe(30);
    await desk.house.signIn('supervisor', { app: desk.station });
    expect(desk.told.at(-1)).toBeNull();
    await desk.pass(5 * MINUTE_MS);
    expect(desk.house.story().at(-1)).toBe('supervisor at desk ended: idle');
  });
});

describe('what the operating system tells', () => {
  test.each<[Tiding, Partial<Policy>, string | null]>([
    ['lock-screen', {}, 'screen-locked'],
    ['lock-screen', { onScreenLock: 'end' }, 'station-left'],
    ['lock-screen', { onScreenLock: 'ignore' }, null],
    ['user-did-resign-active', {}, 'station-left'],
    ['user-did-resign-active', { onUserSwitch: 'lock' }, 'screen-locked'],
    ['shutdown', { onSuspend: 'ignore' }, 'station-left'],
    ['session-end', {}, 'station-left'],
  ])('%s with %o ends the session as %s, and stands in the audit trail', async (tiding, policy, reason) => {
    const desk = await openDesk(5, policy);
    const { session } = await signIn(desk);
    desk.watch.heard(tiding);
    await desk.house.settle();
    if (reason === null) {
      expect(desk.signedIn()).toBe('operator');
      return;
    }
    expect(desk.signedIn()).toBeNull();
    expect(await desk.house.lastAudit()).toMatchObject({
      action: 'session-ended',
      door: 'desktop',
      app: 'desk',
      reason,
      detail: { session: session.id, event: tiding },
    });
  });

  test('twice, or where nobody is, leaves no second trace', async () => {
    const desk = await openDesk();
    await signIn(desk);
    for (const tiding of ['lock-screen', 'lock-screen', 'shutdown'] as const) desk.watch.heard(tiding);
    await desk.house.settle();
    const ends = (await desk.house.audit()).filter(({ action }) => action === 'session-ended');
    expect(ends).toMatchObject([{ reason: 'screen-locked' }]);
  });

  test('only when it is asked, such as a lock under Linux, is found at the next look', async () => {
    const desk = await openDesk();
    await signIn(desk);
    await desk.pass(10 * SECOND_MS);
    desk.system.isLocked = true;
    await desk.pass(SECOND_MS);
    expect(desk.signedIn()).toBeNull();
    expect(await desk.house.lastAudit()).toMatchObject({
      reason: 'screen-locked',
      detail: { event: 'lock-screen' },
    });
  });

  test('of a screen that was locked before says nothing about who comes in from elsewhere', async () => {
    const desk = await openDesk();
    desk.system.isLocked = true;
    await signIn(desk);
    await desk.pass(10 * SECOND_MS);
    expect(desk.signedIn()).toBe('operator');
  });
});

describe('a PC that is suspended', () => {
  test('takes nobody signed in at the station with it, by policy', async () => {
    const desk = await openDesk();
    await signIn(desk);
    desk.watch.suspended();
    await desk.house.settle();
    expect(desk.signedIn()).toBeNull();
    expect(await desk.house.lastAudit()).toMatchObject({
      reason: 'screen-locked',
      detail: { event: 'suspend' },
    });
  });

  test('ends at once, when it wakes up, whatever fell due meanwhile: at other apps too', async () => {
    const desk = await openDesk(5, { onSuspend: 'ignore' });
    const { house, watch } = desk;
    const hmi = await house.addApp('HMI', { operator: '5' }, 10);
    const shift = await house.addApp('Shift', { operator: '5' }, 480);
    await signIn(desk);
    for (const app of [hmi, shift]) await house.signIn('operator', { app });
    house.story();
    watch.suspended();
    // Linux: the timers stand still, the wall clock goes on.
    house.clock.setWallClock(house.clock.now() + HOUR_MS);
    watch.resumed();
    await house.advance(0);
    expect(house.story().sort()).toEqual([
      'operator at HMI ended: time-limit',
      'operator at desk ended: idle',
    ]);
    await desk.pass(SECOND_MS);
    expect(house.features.sessions.ofApp(shift.id)).not.toBeNull();
  });

  test('counts no time twice where the timers go on meanwhile', async () => {
    const desk = await openDesk(5, { onSuspend: 'ignore' });
    await signIn(desk);
    desk.watch.suspended();
    await desk.house.advance(4 * MINUTE_MS);
    desk.watch.resumed();
    desk.watch.resumed();
    await desk.pass(MINUTE_MS - SECOND_MS);
    expect(desk.signedIn()).toBe('operator');
    await desk.pass(SECOND_MS);
    expect(desk.signedIn()).toBeNull();
  });
});

describe('the clock of the PC', () => {
  test.each([
    ['forward', DAY_MS],
    ['back', -DAY_MS],
  ])('set %s in the middle of the countdown, changes nothing', async (_way, by) => {
    const desk = await openDesk();
    await signIn(desk);
    await desk.pass(4 * MINUTE_MS + 30 * SECOND_MS);
    desk.house.clock.setWallClock(desk.house.clock.now() + by);
    await desk.pass(5 * SECOND_MS);
    expect(desk.told.slice(-6)).toEqual([30, 29, 28, 27, 26, 25]);
    expect(desk.signedIn()).toBe('operator');
    await desk.pass(25 * SECOND_MS);
    expect(desk.told.at(-1)).toBeNull();
    expect(desk.house.story().at(-1)).toBe('operator at desk ended: idle');
  });

  test('set while it is awake is not taken for sleep', async () => {
    const desk = await openDesk(5, { onSuspend: 'ignore' });
    await signIn(desk);
    desk.house.clock.setWallClock(desk.house.clock.now() + DAY_MS);
    desk.watch.suspended();
    desk.watch.resumed();
    await desk.pass(SECOND_MS);
    expect(desk.signedIn()).toBe('operator');
  });
});
