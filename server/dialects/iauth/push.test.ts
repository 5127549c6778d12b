import { afterAll, afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { createFixedClock } from '../../ports/clock.ts';
import { startTestHost, type TestHost } from '../../../test/host.ts';
import { INSTANT, JWT } from '../../../test/scenario.ts';
import { connect, type Socket } from '../../../test/socket.ts';

const UNKNOWN = 'eb97a642-78f5-4458-b8ca-036fe70298ef';
const NOBODY = { Authenticated: false };

const house = await startTestHost();
await house.addUser('olivia');
await house.addUser('adam', { type: 'Admin' });
const users = { olivia: '5', adam: '9' };
const { app: hmi, key } = await house.addApp('HMI', { users });
const { app: panel, key: panelKey } = await house.addApp('Panel', { users });
afterAll(() => house.close());

const signOut = (appId = hmi.id) => house.ask('DELETE', `/api/Token/${appId}`);
beforeEach(() => Promise.all([signOut(hmi.id), signOut(panel.id)]));
afterEach(async () => expect((await house.ask('GET', '/healthz')).status).toBe(200));

async function subscribe(message: string, host: TestHost = house): Promise<Socket> {
  const socket = await connect(host);
  onTestFinished(() => socket.raw.terminate());
  socket.send(message);
  return socket;
}

const told = (User: string, Token: unknown = null) => ({
  Authenticated: true,
  User,
  Role: users[User as keyof typeof users],
  Token,
  TokenExpires: INSTANT,
});

describe('a client that sends its AppId', () => {
  test.each([
    ['as it is', hmi.id],
    ['in capitals', hmi.id.toUpperCase()],
    ['in braces', `{${hmi.id}}`],
    ['in capitals and braces, with a line end', ` {${hmi.id.toUpperCase()}}\r\n`],
  ])('%s is told at once, and of every change in its order', async (_, message) => {
    const socket = await subscribe(message);
    expect(await socket.next()).toEqual(NOBODY);
    await house.signIn('olivia', hmi.id);
    expect(await socket.next()).toEqual(told('olivia'));
    await house.signIn('adam', hmi.id);
    expect(await socket.next()).toEqual(told('adam'));
    await signOut();
    expect(await socket.next()).toEqual(NOBODY);
    await socket.settled();
    expect(socket.waiting()).toEqual([]);
  });

  test('is told who is there already', async () => {
    await house.signIn('olivia', hmi.id);
    const socket = await subscribe(hmi.id);
    expect(await socket.next()).toEqual(told('olivia'));
  });

  test('never sees nobody between one user and the next, however fast they follow', async () => {
    const socket = await subscribe(hmi.id);
    expect(await socket.next()).toEqual(NOBODY);
    const names = Array.from({ length: 20 }, (_, at) => (at % 2 === 0 ? 'olivia' : 'adam'));
    await Promise.all(names.map((name) => house.signIn(name, hmi.id)));
    await socket.settled();
    const seen = socket.waiting();
    expect(seen).toHaveLength(20);
    for (const message of seen) expect(message).toMatchObject({ Authenticated: true });
    const state = await house.ask('GET', `/api/Token/${hmi.id}`);
    expect(seen.at(-1)).toEqual(state.body);
  });

  test('is not told of another app', async () => {
    const socket = await subscribe(hmi.id);
    expect(await socket.next()).toEqual(NOBODY);
    await house.signIn('olivia', panel.id);
    await socket.settled();
    expect(socket.waiting()).toEqual([]);
  });

  test('is told when the time is over', async () => {
    const clock = createFixedClock();
    await using timed = await startTestHost({ clock, config: { 'realtime.heartbeatSec': '300' } });
    await timed.addUser('olivia');
    const { app } = await timed.addApp('HMI', { users: { olivia: '5' }, logoutTimeInMin: 2 });
    await timed.signIn('olivia', app.id);
    const socket = await subscribe(app.id, timed);
    expect(await socket.next()).toMatchObject({
      User: 'olivia',
      TokenExpires: new Date(clock.now() + 120_000).toISOString(),
    });
    const next = socket.next();
    await clock.advance(120_000);
    expect(await next).toEqual(NOBODY);
  });

  test('follows the AppId that it sent last', async () => {
    const socket = await subscribe(hmi.id);
    expect(await socket.next()).toEqual(NOBODY);
    await house.signIn('olivia', panel.id);
    socket.send(panel.id);
    expect(await socket.next()).toEqual(told('olivia'));
    await house.signIn('adam', hmi.id);
    await signOut(panel.id);
    expect(await socket.next()).toEqual(NOBODY);
    await socket.settled();
    expect(socket.waiting()).toEqual([]);
  });

  test('sends it again, and is told again, once', async () => {
    const socket = await subscribe(hmi.id);
    socket.send(hmi.id);
    expect([await socket.next(), await socket.next()]).toEqual([NOBODY, NOBODY]);
    await house.signIn('olivia', hmi.id);
    await socket.settled();
    expect(socket.waiting()).toEqual([told('olivia')]);
  });

  test('leaves nothing behind when it goes', async () => {
    const socket = await subscribe(hmi.id);
    await socket.next();
    socket.close();
    await socket.closed;
    await house.signIn('olivia', hmi.id);
    expect(house.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe('a client that proves the key of its app', () => {
  test('is told the token, at once and with every change, and it is good', async () => {
    await house.signIn('olivia', hmi.id);
    const socket = await subscribe(`${hmi.id}:${key}`);
    expect(await socket.next()).toEqual(told('olivia', JWT));
    await house.signIn('adam', hmi.id);
    const { Token: token } = await socket.next<{ Token: string }>();
    expect((await house.ask('GET', '/api/v1/session', { token })).body).toMatchObject({
      session: { user: { name: 'adam' } },
    });
    await signOut();
    expect(await socket.next()).toEqual(NOBODY);
    expect((await house.ask('GET', '/api/v1/session', { token })).status).toBe(401);
  });

  test('is never told a state that was overtaken while its token was being signed', async () => {
    await house.signIn('olivia', hmi.id);
    const socket = await subscribe(`${hmi.id}:${key}`);
    expect(await socket.next()).toEqual(told('olivia', JWT));
    // Opened and ended in one turn of the loop, as when both share a transaction.
    const { bus, sessions } = house.features;
    const brief = { ...sessions.ofApp(hmi.id)! };
    bus.publish('SessionOpened', { session: brief });
    bus.publish('SessionEnded', { session: brief, reason: 'signed-out', successor: null });
    await house.signIn('adam', hmi.id);
    expect([await socket.next(), await socket.next()]).toEqual([NOBODY, told('adam', JWT)]);
    await socket.settled();
    expect(socket.waiting()).toEqual([]);
  });

  test('is told nothing more of an app it has left, whose token was still being signed', async () => {
    await house.signIn('olivia', hmi.id);
    const socket = await connect(house);
    onTestFinished(() => socket.raw.terminate());
    socket.send(`${hmi.id}:${key}`);
    socket.send(`${panel.id}:${panelKey}`);
    expect(await socket.next()).toEqual(NOBODY);
    await house.signIn('adam', panel.id);
    expect(await socket.next()).toEqual(told('adam', JWT));
    await socket.settled();
    expect(socket.waiting()).toEqual([]);
  });
});

describe('a client is sent away', () => {
  test.each([
    ['an AppId that no app has', UNKNOWN, 4404, 'no app has this AppId'],
    ['an AppId that no app has, with a key', `${UNKNOWN}:${key}`, 4404, 'no app has this AppId'],
    ['a wrong key', `${hmi.id}:x`, 4401, "that is not this app's key"],
    ["another app's key", `${hmi.id}:${panelKey}`, 4401, "that is not this app's key"],
    ['a name', 'HMI', 4400, 'send an AppId, or {"type":"subscribe",...}'],
    ['nothing', '', 4400, 'send an AppId, or {"type":"subscribe",...}'],
    ['an AppId with more behind it', `${hmi.id} x`, 4400, 'send an AppId, or {"type":"subscribe",...}'],
    ['half an AppId', hmi.id.slice(0, 20), 4400, 'send an AppId, or {"type":"subscribe",...}'],
    ['an AppId as JSON', JSON.stringify(hmi.id), 4400, 'send an AppId, or {"type":"subscribe",...}'],
  ])('that sends %s', async (_, message, code, reason) => {
    await house.signIn('olivia', hmi.id);
    const socket = await subscribe(message);
    expect(await socket.closed).toEqual({ code, reason });
    expect(socket.waiting()).toEqual([]);
  });

  test.each([
    ['an AppId that no app has', UNKNOWN, 4404, 'no app has this AppId'],
    ['a wrong key', `${hmi.id}:x`, 4401, "that is not this app's key"],
    ['nonsense', 'nonsense', 4400, 'send an AppId'],
    ['another protocol', '{"type":"subscribe","topic":"overview"}', 4400, 'send an AppId'],
  ])('that goes on with %s', async (_, message, code, reason) => {
    const socket = await subscribe(hmi.id);
    await socket.next();
    socket.send(message);
    expect(await socket.closed).toEqual({ code, reason });
  });

  test('where the setting says that there is no iAuth, while the native protocol goes on', async () => {
    await using without = await startTestHost({ config: { 'dialects.iauth': 'false' } });
    const { app } = await without.addApp('HMI');
    const socket = await subscribe(app.id, without);
    expect(await socket.closed).toEqual({ code: 4400, reason: 'send an AppId, or {"type":"subscribe",...}' });
    const native = await subscribe(
      JSON.stringify({ type: 'subscribe', topic: 'app', appId: app.id }),
      without,
    );
    expect(await native.next()).toMatchObject({ type: 'app', appId: app.id });
  });
});
