import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  ADMINISTRATOR,
  DOOR,
  MINUTE_MS,
  openControlRoom,
  type ControlRoom,
  type House,
} from '../../test/house.ts';
import type { App } from '../apps/app.ts';
import type { Session } from './session.ts';
import type { SignedIn } from './sessions.ts';

/** What may happen to sessions; `nth` counts among what there is, round and round. */
type Step =
  | {
      readonly do: 'sign in';
      readonly user: 0 | 1;
      readonly at: 0 | 1 | null;
      readonly as: 'cookie' | 'bearer' | 'token';
    }
  | { readonly do: 'PLC signs in'; readonly user: 0 | 1; readonly at: 0 | 1 }
  | { readonly do: 'PLC signs out'; readonly at: 0 | 1 }
  | { readonly do: 'sign out'; readonly nth: number }
  | { readonly do: 'touch'; readonly nth: number }
  | { readonly do: 'refresh'; readonly nth: number }
  | { readonly do: 'disable and enable'; readonly user: 0 | 1 }
  | { readonly do: 'demote and promote'; readonly user: 0 | 1 }
  | { readonly do: 'time passes'; readonly minutes: number };

const user = fc.constantFrom<(0 | 1)[]>(0, 1);
const nth = fc.nat(20);
const step = (kind: Step['do'], rest: Record<string, fc.Arbitrary<unknown>> = {}): fc.Arbitrary<Step> =>
  fc.record({ do: fc.constant(kind), ...rest }) as unknown as fc.Arbitrary<Step>;

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: step('sign in', {
      user,
      at: fc.constantFrom(0, 1, null),
      as: fc.constantFrom('cookie', 'bearer', 'token'),
    }),
  },
  { weight: 2, arbitrary: step('PLC signs in', { user, at: user }) },
  { weight: 2, arbitrary: step('PLC signs out', { at: user }) },
  { weight: 2, arbitrary: step('sign out', { nth }) },
  { weight: 1, arbitrary: step('touch', { nth }) },
  { weight: 2, arbitrary: step('refresh', { nth }) },
  { weight: 1, arbitrary: step('disable and enable', { user }) },
  { weight: 1, arbitrary: step('demote and promote', { user }) },
  { weight: 2, arbitrary: step('time passes', { minutes: fc.constantFrom(1, 4, 9, 10, 15, 60, 720) }) },
);

/** Does what a step says; refusals are part of the game. */
async function take(
  { house, hmi, boiler, operator, supervisor }: ControlRoom,
  pairs: SignedIn[],
  it: Step,
): Promise<void> {
  const { sessions, users } = house.features;
  const apps: App[] = [hmi, boiler];
  const people = [operator, supervisor];
  const pick = <Item>(items: readonly Item[], index: number): Item | undefined => items[index % items.length];
  switch (it.do) {
    case 'sign in': {
      const app = it.at === null ? null : (apps[it.at] as App);
      pairs.push(await house.signIn((people[it.user] as typeof operator).name, { app, presentation: it.as }));
      return;
    }
    case 'PLC signs in':
      await house.plcSignIn(people[it.user] as typeof operator, apps[it.at] as App, true);
      return;
    case 'PLC signs out':
      await sessions.endAtApp((apps[it.at] as App).id, 'plc', DOOR);
      return;
    case 'sign out':
      await sessions.end(pick(sessions.list(), it.nth)?.id ?? '', 'signed-out', DOOR);
      return;
    case 'touch':
      sessions.touch(pick(sessions.list(), it.nth)?.id ?? '');
      return;
    case 'refresh':
      pairs.push(await sessions.refresh(pick(pairs, it.nth)?.refreshToken ?? '', DOOR));
      return;
    case 'disable and enable':
    case 'demote and promote': {
      const { name } = people[it.user] as typeof operator;
      const [first, second] =
        it.do === 'disable and enable'
          ? [{ enabled: false }, { enabled: true }]
          : [{ type: 'Passive' } as const, { type: 'Admin' } as const];
      await users.change(name, first, ADMINISTRATOR);
      await users.change(name, second, ADMINISTRATOR);
      return;
    }
    case 'time passes':
      await house.clock.advance(it.minutes * MINUTE_MS);
  }
}

const byId = (a: { id: string }, b: { id: string }): number => a.id.localeCompare(b.id);

/** The live sessions as the table has them. */
async function inTable(house: House): Promise<unknown[]> {
  const rows = await house.features.store.read
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .selectAll('sessions')
    .select(['users.name', 'users.type'])
    .where('ended_at', 'is', null)
    .execute();
  return rows
    .map((row) => ({
      id: row.id,
      kind: row.kind,
      user: row.name,
      type: row.type,
      app: row.app_id,
      openedAt: row.opened_at,
      expiresAt: row.expires_at,
    }))
    .toSorted(byId);
}

const flat = ({ id, kind, user: { name, type }, app, openedAt, expiresAt }: Session): { id: string } => ({
  ...{ id, kind, user: name, type, app: app?.id ?? null, openedAt, expiresAt },
});

/** The live sessions as somebody knows them who has heard every event. */
function byEvents(house: House): string[] {
  const live = new Set<string>();
  for (const event of house.events) {
    if (event.name === 'SessionOpened') live.add(event.session.id);
    if (event.name === 'SessionEnded' && !live.delete(event.session.id))
      throw new Error('ended twice, or never opened');
  }
  return [...live].toSorted();
}

async function expectOneTruth({ house, hmi, boiler }: ControlRoom): Promise<void> {
  await house.settle();
  // Whose time passed while they were on their way to the disk end at once; the clock fires when it is moved.
  await house.advance(0);
  const { sessions } = house.features;
  const live = sessions.list();
  expect(live.map(flat).toSorted(byId)).toEqual(await inTable(house));
  expect(byEvents(house)).toEqual(live.map(({ id }) => id).toSorted());
  for (const session of live) expect(sessions.byId(session.id)).toBe(session);
  for (const app of [hmi, boiler]) {
    const there = live.filter((session) => session.app?.id === app.id);
    expect(there.length).toBeLessThanOrEqual(1);
    expect(sessions.ofApp(app.id)).toBe(there[0] ?? null);
  }
  for (const { expiresAt } of live) expect(expiresAt).toBeGreaterThan(house.clock.now());
}

async function beginAnew({ house, operator, supervisor }: ControlRoom): Promise<void> {
  const { sessions, users } = house.features;
  for (const { id } of sessions.list()) await sessions.end(id, 'signed-out', DOOR);
  for (const { name } of [operator, supervisor]) {
    await users.change(name, { enabled: true, type: 'Active' }, ADMINISTRATOR);
  }
}

/** An administrator who stays, so that the others may be demoted. */
async function openRoom(): Promise<ControlRoom> {
  const room = await openControlRoom();
  await room.house.addUser('Ada', { type: 'Admin' });
  return room;
}

test('memory, table and events agree after every step of whatever happens', async () => {
  const room = await openRoom();
  await fc.assert(
    fc
      .asyncProperty(fc.array(anyStep, { maxLength: 14 }), async (steps) => {
        const pairs: SignedIn[] = [];
        for (const it of steps) {
          await take(room, pairs, it).catch(expectRefusal);
          await expectOneTruth(room);
        }
      })
      .beforeEach(() => beginAnew(room)),
    { numRuns: 40 },
  );
});

test('memory, table and events agree when everything happens at once, and after a restart', async () => {
  const room = await openRoom();
  await fc.assert(
    fc
      .asyncProperty(fc.array(fc.array(anyStep, { maxLength: 8 }), { maxLength: 3 }), async (rounds) => {
        const pairs: SignedIn[] = [];
        for (const steps of rounds) {
          await Promise.all(steps.map((it) => take(room, pairs, it).catch(expectRefusal)));
          await expectOneTruth(room);
        }
        const before = room.house.features.sessions.list().toSorted(byId);
        await room.house.restart();
        expect(room.house.features.sessions.list().toSorted(byId)).toEqual(before);
        await expectOneTruth(room);
      })
      .beforeEach(() => beginAnew(room)),
    { numRuns: 15 },
  );
});

/** The only ways in which a step may fail. */
function expectRefusal(error: unknown): void {
  expect(error).toMatchObject({ code: expect.stringMatching(/^(sign-in-refused|not-signed-in)$/) as string });
}
