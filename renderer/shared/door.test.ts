import { describe, expect, test } from 'vitest';
import { createApi } from './api.ts';
import { Door } from './door.svelte.ts';
import {
  APP_ID,
  createMemory,
  createSession,
  createTestPorts,
  json,
  problem,
  settle,
  WELCOME,
} from './testing.ts';
import type { Answers } from './testing.ts';

const SIGNED_OUT = problem(401, 'not-signed-in');

function open(
  answers: Answers,
  appId: string | null = null,
  memory = createMemory(),
  hasWork?: () => boolean,
) {
  const ports = createTestPorts(answers, memory);
  const door = new Door(appId, createApi(ports.fetch), ports.clock, memory, hasWork);
  return { ...ports, door };
}

test('shows the sign-in page to whom the host does not know', async () => {
  const { door } = open({ 'GET /api/v1/welcome': json(WELCOME), 'GET /api/v1/session': SIGNED_OUT });
  expect(door.page).toBe('starting');
  door.reach();
  await settle();
  expect(door.page).toBe('sign-in');
  expect(door.ending).toBeNull();
});

test('is at home at once after a reload while the session lives', async () => {
  const session = createSession();
  const { door } = open({ 'GET /api/v1/welcome': json(WELCOME), 'GET /api/v1/session': json({ session }) });
  door.reach();
  await settle();
  expect(door.page).toBe('home');
});

test("does not take the session of another app for this page's", async () => {
  const session = createSession({ app: { id: 'other', name: 'Other' } });
  const { door } = open(
    { [`GET /api/v1/welcome?appId=${APP_ID}`]: json(WELCOME), 'GET /api/v1/session': json({ session }) },
    APP_ID,
  );
  door.reach();
  await settle();
  expect(door.page).toBe('sign-in');
});

test('says that the host does not answer, and goes on asking', async () => {
  const { door, clock, answers } = open({});
  door.reach();
  await settle();
  expect(door.reachable).toBe(false);
  expect(door.page).toBe('sign-in');
  answers['GET /api/v1/welcome'] = json(WELCOME);
  answers['GET /api/v1/session'] = SIGNED_OUT;
  await clock.advance(250);
  expect(door.reachable).toBe(true);
});

test('asks once at a time', async () => {
  const { door, calls } = open({});
  door.reach();
  door.reach();
  await settle();
  expect(calls).toHaveLength(1);
});

test('says that the host does not know the app', async () => {
  const { door } = open(
    { [`GET /api/v1/welcome?appId=${APP_ID}`]: json(WELCOME), 'GET /api/v1/session': SIGNED_OUT },
    APP_ID,
  );
  door.reach();
  await settle();
  expect(door.appUnknown).toBe(true);
});

test('remembers who signed in last, and nothing else', () => {
  const memory = createMemory();
  open({}, null, memory).door.signedIn(createSession());
  expect(open({}, null, memory).door.lastUsername).toBe('anna');
});

test('says where and why a session ended', () => {
  const { door } = open({});
  door.signedIn(createSession({ app: { id: APP_ID, name: 'HMI' } }));
  door.leave('plc');
  expect(door.ending).toEqual({ reason: 'plc', place: 'HMI' });
  door.signedIn(createSession());
  expect(door.ending).toBeNull();
});

const BOB = createSession({
  user: { id: 'user-2', name: 'bob', displayName: 'Bob', type: 'Active' },
});

test('keeps the page of a person who signs in again', () => {
  const { door } = open({});
  door.signedIn(createSession());
  door.wait('idle');
  expect(door.page).toBe('home');
  door.signedIn(createSession({ id: 'session-2' }));
  expect([door.visits, door.pause, door.isNewcomer]).toEqual([1, null, false]);
});

test('begins a new page for another person', () => {
  const { door } = open({});
  door.signedIn(createSession());
  door.wait('idle');
  door.signedIn(BOB);
  expect([door.visits, door.isNewcomer]).toEqual([2, true]);
});

test.each([
  [createSession(), false],
  [BOB, true],
])('knows a newcomer after a sign-out', (next, isNewcomer) => {
  const { door } = open({});
  door.signedIn(createSession());
  expect(door.isNewcomer).toBe(false);
  door.leave('signed-out');
  door.signedIn(next);
  expect(door.isNewcomer).toBe(isNewcomer);
});

test('thinks better of signing in again only while the session lives', () => {
  const { door } = open({});
  door.signedIn(createSession());
  door.wait(null);
  door.goOn();
  expect(door.pause).toBeNull();
  door.wait('idle');
  door.goOn();
  expect(door.pause).toEqual({ reason: 'idle', handover: false });
});

test('a change of the password on the way in again leads back to the page, and its end to the way in', () => {
  const { door } = open({});
  door.signedIn(createSession());
  door.wait('idle');
  door.change = { ticket: 't', username: 'anna', why: 'expired' };
  expect(door.page).toBe('password-change');
  door.leave('ticket');
  expect([door.change, door.pause, door.session?.id]).toEqual([
    null,
    { reason: 'ticket', handover: false },
    'session-1',
  ]);
  door.change = { ticket: 't', username: 'anna', why: 'expired' };
  door.leave(null);
  expect(door.pause?.reason).toBe('ticket');
  door.change = { ticket: 't', username: 'anna', why: 'expired' };
  door.signedIn(createSession());
  expect([door.pause, door.change, door.visits]).toEqual([null, null, 1]);
});

test('loses the page where somebody else signs in', () => {
  const { door } = open({});
  door.signedIn(createSession());
  door.wait('idle');
  door.leave(null);
  expect([door.session, door.pause, door.page === 'home']).toEqual([null, null, false]);
});

describe('work that waits, where another person signs in,', () => {
  const openWithWork = () => {
    const { door } = open({}, null, createMemory(), () => true);
    door.signedIn(createSession());
    return door;
  };

  test.each(['screen-locked', null] as const)('is not lost before that was agreed to (%s)', (reason) => {
    const door = openWithWork();
    door.wait(reason);
    door.change = { ticket: 't', username: '', why: 'expired' };
    door.signedIn(BOB);
    expect([door.stranger, door.change]).toEqual([BOB, null]);
    expect([door.session?.user.name, door.pause?.reason, door.visits]).toEqual(['anna', reason, 1]);
    door.takeOver();
    expect([door.stranger, door.session, door.pause, door.visits]).toEqual([null, BOB, null, 2]);
  });

  test('waits on for its own person', () => {
    const door = openWithWork();
    door.wait('screen-locked');
    door.signedIn(BOB);
    door.signedIn(createSession({ id: 'session-2' }));
    expect([door.stranger, door.session?.id, door.visits]).toEqual([null, 'session-2', 1]);
  });

  test('was asked about before a handover', () => {
    const door = openWithWork();
    door.handOver();
    door.signedIn(BOB);
    expect([door.stranger, door.session]).toEqual([null, BOB]);
  });
});

test('hands over: the page stays until another person has signed in, and is theirs anew', () => {
  const { door } = open({});
  door.signedIn(createSession());
  door.handOver();
  expect([door.page, door.pause]).toEqual(['home', { reason: null, handover: true }]);
  door.signedIn(BOB);
  expect([door.pause, door.session?.user.name, door.visits, door.isNewcomer]).toEqual([null, 'bob', 2, true]);
});

test('a handover that is thought better of leads back to the page', () => {
  const { door } = open({});
  door.signedIn(createSession());
  door.handOver();
  door.goOn();
  expect([door.pause, door.session?.id, door.visits]).toEqual([null, 'session-1', 1]);
});

test('a session that ends during a handover leaves the way in open for both', () => {
  const { door } = open({});
  door.signedIn(createSession());
  door.handOver();
  door.wait('time-limit');
  expect(door.pause).toEqual({ reason: 'time-limit', handover: true });
  door.goOn();
  expect(door.pause).toEqual({ reason: 'time-limit', handover: false });
});

test('says after a reload that the page was locked, until somebody has signed in', () => {
  const memory = createMemory();
  const { door } = open({}, null, memory);
  door.signedIn(createSession({ app: { id: APP_ID, name: 'HMI' } }));
  door.wait('screen-locked');
  const reloaded = open({}, null, memory).door;
  expect(reloaded.ending).toEqual({ reason: 'screen-locked', place: 'HMI' });
  reloaded.signedIn(createSession());
  expect(open({}, null, memory).door.ending).toBeNull();
});

test('says so no more once somebody else was given the page', () => {
  const memory = createMemory();
  const { door } = open({}, null, memory);
  door.signedIn(createSession());
  door.wait('screen-locked');
  door.leave(null);
  expect(open({}, null, memory).door.ending).toBeNull();
});

test('an emergency sign-in goes on when the envelope is sealed, and its name is not remembered', () => {
  const { door, memory } = open({});
  const session = createSession();
  door.unsealed = { session, sealed: { username: 'glass', secret: 's', sealedAt: session.openedAt } };
  expect(door.page).toBe('envelope');
  door.signedIn(session);
  expect([door.page, door.unsealed]).toEqual(['home', null]);
  expect(memory.getItem('keyswitch.username')).toBeNull();
});

describe('a look at what another tab has done', () => {
  async function look(prepare: (door: Door) => void, session = createSession({ id: 'session-2' })) {
    const { door, calls } = open({
      'GET /api/v1/welcome': json(WELCOME),
      'GET /api/v1/session': json({ session }),
    });
    door.welcome = WELCOME;
    prepare(door);
    await door.look();
    return { door, calls };
  }

  test('takes over a session', async () => {
    const { door } = await look(() => {});
    expect(door.session?.id).toBe('session-2');
  });

  test('goes on where the same person has signed in elsewhere', async () => {
    const { door } = await look((door) => {
      door.signedIn(createSession());
      door.wait('idle');
    });
    expect([door.session?.id, door.pause, door.visits]).toEqual(['session-2', null, 1]);
  });

  test("does not show one person's page to another", async () => {
    const { door } = await look((door) => {
      door.signedIn(createSession());
      door.wait('idle');
    }, BOB);
    expect([door.session?.id, door.pause]).toEqual(['session-1', { reason: 'idle', handover: false }]);
  });

  test.each<[string, (door: Door) => void]>([
    ['signed in', (door) => door.signedIn(createSession())],
    [
      'asked to sign in before the end',
      (door) => {
        door.signedIn(createSession());
        door.wait(null);
      },
    ],
    ['changing a password', (door) => (door.change = { ticket: 't', username: 'anna', why: 'expired' })],
    ['before the first answer', (door) => (door.welcome = null)],
  ])('is not needed while %s', async (_, prepare) => {
    const { calls } = await look(prepare);
    expect(calls).toEqual([]);
  });
});
