import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { createBus } from '../events.ts';
import { createMemoryLog } from '../ports/log.ts';
import { createFixedRandom } from '../ports/random.ts';
import { DOOR, MINUTE_MS, openControlRoom, type ControlRoom } from '../../test/house.ts';
import { createAppStates, oncePerState, type AppState } from './app-states.ts';
import type { Session } from './session.ts';

/** Follows the HMI from now on: the names that are told, `-` for nobody, and the revisions. */
function follow({ house, hmi }: ControlRoom) {
  const told: string[] = [];
  const revisions: number[] = [];
  const stop = house.features.appStates.follow(hmi.id, ({ revision, session }) => {
    told.push(session?.user.name ?? '-');
    revisions.push(revision);
  });
  return { told, revisions, stop };
}

test('tells who is there at once, then who comes and that nobody is left', async () => {
  const room = await openControlRoom();
  const { house, hmi } = room;
  const { told, revisions } = follow(room);
  expect(told).toEqual(['-']);
  await house.signIn('operator', { app: hmi });
  await house.features.sessions.endAtApp(hmi.id, 'signed-out', DOOR);
  await house.signIn('supervisor', { app: hmi });
  expect(follow(room).told).toEqual(['supervisor']);
  await house.advance(10 * MINUTE_MS);
  expect(told).toEqual(['-', 'operator', '-', 'supervisor', '-']);
  expect(revisions).toEqual([0, 1, 2, 3, 4]);
});

test('tells of one user after the other without nobody in between', async () => {
  const room = await openControlRoom();
  const { house, hmi } = room;
  const { told } = follow(room);
  await Promise.all(['operator', 'supervisor', 'operator'].map((name) => house.signIn(name, { app: hmi })));
  expect(told).toHaveLength(4);
  expect(told.slice(1)).not.toContain('-');
});

test('tells nothing of other apps and of Keyswitch itself, nor after it was stopped', async () => {
  const room = await openControlRoom();
  const { house, hmi, boiler } = room;
  const { told, stop } = follow(room);
  await house.signIn('operator', { app: boiler });
  const page = await house.signIn('operator');
  await house.features.sessions.end(page.session.id, 'signed-out', DOOR);
  stop();
  stop();
  await house.signIn('operator', { app: hmi });
  expect(told).toEqual(['-']);
});

test("tells a user's new display name, and nothing where only others are changed", async () => {
  const { house, hmi } = await openControlRoom();
  const names: (string | undefined)[] = [];
  house.features.appStates.follow(hmi.id, ({ session }) => names.push(session?.user.displayName));
  await house.signIn('operator', { app: hmi });
  await house.features.users.change('supervisor', { displayName: 'Sue' }, DOOR);
  await house.features.users.change('operator', { displayName: 'Otto' }, DOOR);
  expect(names).toEqual([undefined, 'Olivia Operator', 'Otto']);
});

/** The bus alone, with sessions that a test opens and ends as the house does. */
function openStates() {
  const log = createMemoryLog();
  const bus = createBus(log);
  const live = new Map<string, Session>();
  const states = createAppStates({
    bus,
    log,
    random: createFixedRandom(),
    sessions: { ofApp: (appId) => live.get(appId) ?? null },
  });
  onTestFinished(states.close);
  let opened = 0;
  return {
    log,
    live,
    states,
    signIn(appId: string, name = 'olivia'): void {
      opened += 1;
      const session = {
        id: `${opened}`,
        user: { id: name, name },
        app: { id: appId, name: appId },
      } as Session;
      const former = live.get(appId);
      live.delete(appId);
      if (former !== undefined) {
        bus.publish('SessionEnded', { session: former, reason: 'replaced', successor: session });
      }
      live.set(appId, session);
      bus.publish('SessionOpened', { session });
    },
    signOut(appId: string): void {
      const session = live.get(appId);
      if (session === undefined) return;
      live.delete(appId);
      bus.publish('SessionEnded', { session, reason: 'signed-out', successor: null });
    },
  };
}

test('follows an app in whatever letters its id is written', () => {
  const { states, signIn } = openStates();
  const revisions: number[] = [];
  states.follow('APP', ({ revision }) => revisions.push(revision));
  signIn('app');
  expect(revisions).toEqual([0, 1]);
  expect(states.of('App').revision).toBe(1);
});

test('a follower that throws keeps no other from knowing, and goes on being told', () => {
  const { states, signIn, log } = openStates();
  const told: string[] = [];
  let isBroken = false;
  states.follow('a', ({ revision }) => {
    if (isBroken) throw new Error('broken on purpose');
    told.push(`first ${revision}`);
  });
  states.follow('a', ({ revision }) => told.push(`second ${revision}`));
  isBroken = true;
  signIn('a');
  isBroken = false;
  signIn('a');
  expect(told).toEqual(['first 0', 'second 0', 'second 1', 'first 2', 'second 2']);
  expect(log.lines).toMatchObject([{ level: 'error', msg: 'a follower of an app failed' }]);
});

test('a follower that throws at its first state is none', () => {
  const { states, signIn } = openStates();
  let calls = 0;
  const broken = (): void => {
    calls += 1;
    throw new Error('broken on purpose');
  };
  expect(() => states.follow('a', broken)).toThrow('broken on purpose');
  signIn('a');
  expect(calls).toBe(1);
});

test('a follower that brings about the next change leaves everyone with the newest, and none with an older after it', () => {
  const { states, signIn, signOut } = openStates();
  const before: number[] = [];
  const after: number[] = [];
  states.follow('a', ({ revision }) => before.push(revision));
  states.follow('a', ({ session }) => {
    if (session?.user.name === 'barred') signOut('a');
  });
  states.follow('a', ({ revision }) => after.push(revision));
  signIn('a', 'barred');
  expect(before).toEqual([0, 1, 2]);
  expect(after).toEqual([0, 2]);
  expect(states.of('a').session).toBeNull();
});

test('a follower that stops another, or itself, in a change is obeyed at once', () => {
  const { states, signIn } = openStates();
  const told: string[] = [];
  let hasStarted = false;
  const stopFirst = states.follow('a', ({ revision }) => {
    told.push(`first ${revision}`);
    if (!hasStarted) return;
    stopFirst();
    stopSecond();
  });
  const stopSecond = states.follow('a', ({ revision }) => told.push(`second ${revision}`));
  hasStarted = true;
  signIn('a');
  signIn('a');
  expect(told).toEqual(['first 0', 'second 0', 'first 1']);
});

test('a follower that comes in the middle of a change is told it once', () => {
  const { states, signIn } = openStates();
  const late: number[] = [];
  let hasStarted = false;
  states.follow('a', () => {
    if (hasStarted && late.length === 0) states.follow('a', ({ revision }) => late.push(revision));
  });
  hasStarted = true;
  signIn('a');
  signIn('a');
  expect(late).toEqual([1, 2]);
});

test('is silent once closed', () => {
  const { states, signIn } = openStates();
  const revisions: number[] = [];
  states.follow('a', ({ revision }) => revisions.push(revision));
  states.close();
  signIn('a');
  expect(revisions).toEqual([0]);
});

test('every run has a name of its own', async () => {
  const [one, other] = [await openControlRoom(), openStates()];
  expect(one.house.features.appStates.run).not.toBe('');
  expect(one.house.features.appStates.run).not.toBe(other.states.run);
});

const APPS = ['a', 'b', 'c'];
const app = fc.constantFrom(...APPS);
const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ signIn: app, name: fc.constantFrom('olivia', 'adam') }) },
    { weight: 3, arbitrary: fc.record({ signOut: app }) },
    { weight: 3, arbitrary: fc.record({ follow: app, throws: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ stop: fc.nat(20) }) },
  ),
  { maxLength: 60 },
);

test('after any sign-ins and sign-outs at several apps every follower, whenever it came, has seen revisions that only grow and ends with what is', () => {
  fc.assert(
    fc.property(steps, (sequence) => {
      const { states, live, signIn, signOut } = openStates();
      const followers: { appId: string; seen: AppState[]; stop: () => void; isStopped: boolean }[] = [];
      for (const step of sequence) {
        if ('signIn' in step) signIn(step.signIn, step.name);
        else if ('signOut' in step) signOut(step.signOut);
        else if ('follow' in step) {
          const seen: AppState[] = [];
          const stop = states.follow(step.follow, (state) => {
            seen.push(state);
            if (step.throws && seen.length > 1) throw new Error('broken on purpose');
          });
          expect(seen).toHaveLength(1);
          followers.push({ appId: step.follow, seen, stop, isStopped: false });
        } else {
          const follower = followers[step.stop];
          follower?.stop();
          if (follower !== undefined) follower.isStopped = true;
        }
        for (const { appId, seen, isStopped } of followers) {
          const revisions = seen.map(({ revision }) => revision);
          expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b));
          if (!isStopped) expect(seen.at(-1)).toBe(states.of(appId));
        }
      }
      for (const appId of APPS) expect(states.of(appId).session).toBe(live.get(appId) ?? null);
    }),
    { numRuns: 300 },
  );
});

test('what is made of a state is made once for it, whatever it is', () => {
  const { states, signIn } = openStates();
  let made = 0;
  const make = oncePerState(() => {
    made += 1;
    return undefined;
  });
  for (let at = 0; at < 10; at += 1) make(states.of('a'));
  signIn('a');
  make(states.of('a'));
  expect(made).toBe(2);
});
