import { expect, test } from 'vitest';
import { createFixedClock } from '../../../server/ports/clock.ts';
import { createHostTime } from './host-time.ts';
import type { ServerMessage, Topic } from './messages.ts';
import { createSubscriptions } from './subscriptions.ts';
import { TestSocket } from './testing.ts';

const START_MS = Date.UTC(2026, 0, 1, 6);
const BOILER = '11111111-1111-4111-8111-111111111111';
const PUMP = 'aaaaaaaa-2222-4222-8222-222222222222';
const serverTime = new Date(START_MS).toISOString();
const OVERVIEW = { type: 'overview', serverTime, apps: [], links: [], emergencies: [] };
const EMERGENCIES = { type: 'emergencies', serverTime, emergencies: [] };

const app = (appId: string, revision: number, run = 'r') => ({
  type: 'app',
  serverTime,
  appId,
  run,
  revision,
});
const ofApp = (appId: string): Topic => ({ topic: 'app', appId });
const ask = (topic: object) => ({ type: 'subscribe', ...topic });

function open() {
  const clock = createFixedClock(START_MS);
  const sockets: TestSocket[] = [];
  const hostTime = createHostTime(clock);
  const openSocket = (): TestSocket => {
    const socket = new TestSocket();
    sockets.push(socket);
    return socket;
  };
  const subscriptions = createSubscriptions({ openSocket, clock, random: () => 0, hostTime });
  /** Follows, and notes all that is told: a state of the topic, or the type of a message (with its revision). */
  function follow(topic: Topic) {
    const told: unknown[] = [];
    const statuses: unknown[] = [];
    const stop = subscriptions.subscribe(topic, {
      told(status, message: ServerMessage | null) {
        if (statuses.at(-1) !== status) told.push(status.state);
        if (statuses.at(-1) !== status) statuses.push(status);
        if (message !== null) told.push('revision' in message ? message.revision : message.type);
      },
    });
    return { told, statuses, stop };
  }
  return { clock, sockets, hostTime, subscriptions, follow };
}

test('follows several topics over one socket, each told of its own', () => {
  const { sockets, follow } = open();
  const [boiler, pump, emergencies] = [
    follow(ofApp(BOILER)),
    follow(ofApp(PUMP)),
    follow({ topic: 'emergencies' }),
  ];
  sockets[0]!.open();
  const sent = [ask(ofApp(BOILER)), ask(ofApp(PUMP)), ask({ topic: 'emergencies' })];
  expect(sockets[0]!.sent).toEqual(sent);
  sockets[0]!.tell(app(PUMP, 3));
  sockets[0]!.tell(EMERGENCIES);
  expect(boiler.told).toEqual(['connecting']);
  expect(pump.told).toEqual(['connecting', 'live', 3]);
  expect(emergencies.told).toEqual(['connecting', 'live', 'emergencies']);
  const late = follow({ topic: 'overview' });
  expect(sockets[0]!.sent).toHaveLength(4);
  sockets[0]!.tell(OVERVIEW);
  expect(late.told).toEqual(['connecting', 'live', 'overview']);
  expect(sockets).toHaveLength(1);
});

test('goes on from the newest state after a loss, and says since when it knows no better', async () => {
  const { clock, sockets, follow } = open();
  const boiler = follow(ofApp(BOILER));
  sockets[0]!.open();
  sockets[0]!.tell(app(BOILER, 7));
  await clock.advance(1_000);
  sockets[0]!.end();
  await clock.advance(250);
  sockets[1]!.end();
  await clock.advance(500);
  sockets[2]!.open();
  expect(sockets[2]!.sent).toEqual([{ ...ask(ofApp(BOILER)), since: { run: 'r', revision: 7 } }]);
  sockets[2]!.tell({ ...app(BOILER, 7), type: 'unchanged' });
  sockets[2]!.tell(app(BOILER, 6));
  sockets[2]!.tell(app(BOILER, 8));
  expect(boiler.told).toEqual(['connecting', 'live', 7, 'lost', 'live', 8]);
  expect(boiler.statuses[2]).toEqual({ state: 'lost', since: START_MS + 1_000 });
});

test('tells a second listener what is known, and asks the host once', () => {
  const { sockets, follow } = open();
  const first = follow(ofApp(PUMP));
  sockets[0]!.open();
  sockets[0]!.tell(app(PUMP, 3));
  const second = follow(ofApp(PUMP.toUpperCase()));
  expect(second.told).toEqual(['live', 3]);
  sockets[0]!.tell(app(PUMP, 4));
  expect([first.told.at(-1), second.told.at(-1)]).toEqual([4, 4]);
  expect(sockets[0]!.sent).toEqual([ask(ofApp(PUMP))]);
});

test('lets go of what nobody follows any more, and of the socket with the last', () => {
  const { sockets, follow } = open();
  const [one, two, emergencies] = [
    follow(ofApp(PUMP)),
    follow(ofApp(PUMP)),
    follow({ topic: 'emergencies' }),
  ];
  sockets[0]!.open();
  one.stop();
  one.stop();
  expect(sockets[0]!.sent).toHaveLength(2);
  two.stop();
  expect(sockets[0]!.sent.at(-1)).toEqual({ type: 'unsubscribe', topic: 'app', appId: PUMP });
  sockets[0]!.tell(app(PUMP, 3));
  emergencies.stop();
  expect([two.told, sockets[0]!.closed]).toEqual([['connecting'], true]);
  follow(ofApp(PUMP));
  expect(sockets).toHaveLength(2);
});

test('is over where the one topic that a close can mean is refused, and goes on with the others at once', async () => {
  const { clock, sockets, follow } = open();
  const [pump, overview] = [follow(ofApp(PUMP)), follow({ topic: 'overview' })];
  sockets[0]!.open();
  sockets[0]!.tell(app(PUMP, 3));
  sockets[0]!.end(4401, 'sign in first');
  expect(overview.statuses.at(-1)).toEqual({ state: 'refused', code: 4401, reason: 'sign in first' });
  sockets[1]!.open();
  sockets[1]!.tell(app(PUMP, 4));
  expect(pump.told).toEqual(['connecting', 'live', 3, 4]);
  sockets[1]!.end(4404, 'no app has this AppId');
  await clock.advance(60_000);
  expect(pump.told.at(-1)).toBe('refused');
  expect(sockets).toHaveLength(2);
});

test('finds out which of several apps is refused, by asking for one at a time', async () => {
  const { clock, sockets, follow } = open();
  const topics = [BOILER, PUMP, 'cccccccc-3333-4333-8333-333333333333'];
  const apps = topics.map((appId) => follow(ofApp(appId)));
  sockets[0]!.open();
  sockets[0]!.end(4404);
  expect(apps.map(({ told }) => told.at(-1))).toEqual(['lost', 'lost', 'lost']);
  await clock.advance(250);
  sockets[1]!.open();
  expect(sockets[1]!.sent).toEqual([ask(ofApp(BOILER))]);
  sockets[1]!.tell(app(BOILER, 1));
  expect(sockets[1]!.sent).toHaveLength(2);
  sockets[1]!.end(4404);
  expect(apps.map(({ told }) => told.at(-1))).toEqual([1, 'refused', 'lost']);
  sockets[2]!.open();
  sockets[2]!.tell(app(BOILER, 1));
  sockets[2]!.tell(app(topics[2]!, 1));
  expect(apps.map(({ told }) => told.at(-1))).toEqual([1, 'refused', 1]);
  // All have been answered: the next connection asks for all at once again.
  sockets[2]!.end();
  await clock.advance(250);
  sockets[3]!.open();
  expect(sockets[3]!.sent).toHaveLength(2);
});

test('a close for want of a session means no app that is followed without a key', async () => {
  const { clock, sockets, follow } = open();
  const pump = follow(ofApp(PUMP));
  sockets[0]!.open();
  sockets[0]!.end(4401);
  expect(pump.told).toEqual(['connecting', 'lost']);
  await clock.advance(250);
  sockets[1]!.open();
  sockets[1]!.tell(app(PUMP, 1));
  expect(pump.told.at(-1)).toBe(1);
  const keyed = follow({ topic: 'app', appId: BOILER, key: 'wrong' });
  expect(sockets[1]!.sent.at(-1)).toEqual(ask({ topic: 'app', appId: BOILER, key: 'wrong' }));
  sockets[1]!.end(4401);
  expect(keyed.told.at(-1)).toBe('refused');
});

test('tells of the own session those whose topic depends on it', () => {
  const { sockets, follow } = open();
  const [pump, overview] = [follow(ofApp(PUMP)), follow({ topic: 'overview' })];
  sockets[0]!.open();
  sockets[0]!.tell({ type: 'session', serverTime, session: null, reason: 'idle' });
  expect([pump.told, overview.told]).toEqual([['connecting'], ['connecting', 'session']]);
});

test('connects anew for another identity without a loss, and only where something is followed', () => {
  const { sockets, follow, subscriptions } = open();
  subscriptions.identityChanged();
  expect(sockets).toHaveLength(0);
  const overview = follow({ topic: 'overview' });
  sockets[0]!.open();
  sockets[0]!.tell(OVERVIEW);
  subscriptions.identityChanged();
  sockets[1]!.open();
  sockets[1]!.tell(OVERVIEW);
  expect(overview.told).toEqual(['connecting', 'live', 'overview', 'overview']);
});

test('asks again for what was refused, for another identity or another listener', () => {
  const { sockets, follow, subscriptions } = open();
  const [overview, pump] = [follow({ topic: 'overview' }), follow(ofApp(PUMP))];
  sockets[0]!.open();
  sockets[0]!.end(4401);
  sockets[1]!.open();
  sockets[1]!.end(4404);
  sockets[1]!.tell(OVERVIEW);
  expect([overview.told.at(-1), pump.told.at(-1)]).toEqual(['refused', 'refused']);
  subscriptions.identityChanged();
  sockets[2]!.open();
  expect(sockets[2]!.sent).toEqual([ask({ topic: 'overview' })]);
  sockets[2]!.tell(OVERVIEW);
  expect(overview.told.slice(1)).toEqual(['refused', 'connecting', 'live', 'overview']);
  follow(ofApp(PUMP));
  expect([pump.told.at(-1), sockets[2]!.sent.at(-1)]).toEqual(['connecting', ask(ofApp(PUMP))]);
});

test('tells of activity while it is connected', () => {
  const { sockets, follow, subscriptions } = open();
  follow({ topic: 'overview' });
  expect(subscriptions.noteActivity()).toBe(false);
  sockets[0]!.open();
  expect(subscriptions.noteActivity()).toBe(true);
  expect(sockets[0]!.sent.at(-1)).toEqual({ type: 'activity' });
});

test("takes the host's time from all that it says", () => {
  const { sockets, hostTime, follow } = open();
  follow(ofApp(PUMP));
  sockets[0]!.open();
  sockets[0]!.tell({ type: 'pong', serverTime: '2030-01-01T00:00:00.000Z', id: null });
  expect(hostTime.read()).toBe(Date.UTC(2030, 0, 1));
});

test('does nothing more once closed', async () => {
  const { clock, sockets, follow, subscriptions } = open();
  const pump = follow(ofApp(PUMP));
  sockets[0]!.open();
  subscriptions.close();
  sockets[0]!.tell(app(PUMP, 1));
  await clock.advance(60_000);
  expect([pump.told, sockets.length, sockets[0]!.closed]).toEqual([['connecting'], 1, true]);
});
