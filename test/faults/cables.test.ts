/** Pulled cables between a host and its subscribers: each comes back to the newest state, and sees no older one after a newer. */
import { rmSync } from 'node:fs';
import { HubConnectionBuilder, HttpTransportType, LogLevel } from '@microsoft/signalr';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import { createClient } from '../../clients/js/src/client.ts';
import type { SocketClass } from '../../clients/js/src/ports.ts';
import type { IAuthAuthentication } from '../../server/dialects/iauth/authentication.ts';
import type { AppStateMessage, UnchangedMessage } from '../../server/http/contract.ts';
import { newFolder, startTestHost } from '../host.ts';
import { connect } from '../socket.ts';
import type { TcpProxy } from '../tcp-proxy.ts';
import {
  trust,
  userOf,
  expectSome,
  proxyTo,
  SOON,
  startPlant,
  startPlc,
  untilState,
  type Plant,
  type PlantApp,
  type Subscriber,
  type User,
} from './rig.ts';

interface Scene {
  readonly plant: Plant;
  readonly app: PlantApp;
  /** The cable. */
  readonly way: TcpProxy;
}

async function setScene(): Promise<Scene> {
  const plant = await startPlant();
  trust(plant.host);
  const plc = await startPlc();
  const app = await plant.addApp(plc.port);
  await untilState(app, 'online');
  return { plant, app, way: await proxyTo(plant.host.port) };
}

type Follow = (scene: Scene) => Promise<Subscriber>;

/** The client of clients/js, whose news of one run of the host must come with growing revisions. */
const followByClient: Follow = async ({ plant, app, way }) => {
  const users: (string | null)[] = [];
  const client = createClient({
    url: `https://127.0.0.1:${way.port}`,
    WebSocket: WebSocket as unknown as SocketClass,
    clock: plant.clock,
  });
  onTestFinished(() => client.close());
  let newest = -1;
  client.follow(app.id, ({ state, revision }) => {
    if (state === null || revision === null || revision === newest) return;
    expect(revision, 'a revision').toBeGreaterThan(newest);
    newest = revision;
    users.push(state.user);
  });
  await vi.waitFor(() => expect(users).toHaveLength(1), SOON);
  return { kind: 'client', users, close: () => client.close() };
};

/** The official client, with its own reconnect; a subscription is for one connection, so it subscribes anew. */
const followBySignalR =
  (transport: HttpTransportType): Follow =>
  async ({ app, way }) => {
    const users: (string | null)[] = [];
    const connection = new HubConnectionBuilder()
      .withUrl(`https://127.0.0.1:${way.port}/authHub`, { transport })
      .withAutomaticReconnect({ nextRetryDelayInMilliseconds: () => 100 })
      .configureLogging(LogLevel.None)
      .build();
    onTestFinished(() => connection.stop());
    connection.on('UserChanged', (state: IAuthAuthentication) => {
      const user = userOf(state);
      // What it is told first on each connection may be what it knows.
      if (users.length === 0 || user !== users.at(-1)) users.push(user);
    });
    const subscribe = (): Promise<unknown> => connection.invoke('Subscribe', app.id);
    connection.onreconnected(() => void subscribe().catch(() => undefined));
    await connection.start();
    await subscribe();
    await vi.waitFor(() => expect(users).toHaveLength(1), SOON);
    return { kind: 'SignalR', users, close: () => void connection.stop() };
  };

const CLIENTS: readonly { readonly name: string; readonly follow: Follow }[] = [
  { name: 'the client package', follow: followByClient },
  { name: 'SignalR over WebSockets', follow: followBySignalR(HttpTransportType.WebSockets) },
  { name: 'SignalR over Server-Sent Events', follow: followBySignalR(HttpTransportType.ServerSentEvents) },
  { name: 'SignalR over long polling', follow: followBySignalR(HttpTransportType.LongPolling) },
];

/** What the client is told of by its own machine. */
const LOUD: readonly { readonly title: string; readonly begin: (way: TcpProxy) => void }[] = [
  { title: 'is reset', begin: (way) => way.cut() },
  { title: 'is closed', begin: (way) => way.end() },
  { title: 'is reset while the host believes in it', begin: (way) => way.leaveHalfOpen('server') },
];

describe.each(CLIENTS)('$name', ({ follow }) => {
  it.each(LOUD)('comes back to the newest state after its connection $title', async ({ begin }) => {
    const scene = await setScene();
    const { app, way } = scene;
    const subscriber = await follow(scene);
    await app.signIn('olivia');
    await untilTold(subscriber, 'olivia');
    await way.refuse();
    begin(way);
    await app.signOut();
    await app.signIn('tess');
    await app.signIn('sam');
    await way.heal();
    await untilTold(subscriber, 'sam');
    await app.signOut();
    await untilTold(subscriber, null);
    expectSome(subscriber, [null, 'olivia', null, 'tess', 'sam', null]);
  });

  it('is told everything in order, byte by byte', async () => {
    const scene = await setScene();
    const { app, way } = scene;
    const subscriber = await follow(scene);
    way.impair({ do: 'split', bytes: 1 });
    for (const user of ['olivia', 'sam', 'tess'] as const) {
      await app.signIn(user);
      await untilTold(subscriber, user);
    }
    expect(subscriber.users).toEqual([null, 'olivia', 'sam', 'tess']);
  });
});

describe('the client package', () => {
  it.each([
    { title: 'a pulled cable', begin: (way: TcpProxy) => void way.impair({ do: 'swallow' }) },
    { title: 'a host that vanished', begin: (way: TcpProxy) => way.leaveHalfOpen('client') },
    { title: 'a black hole', begin: (way: TcpProxy) => way.blackHole() },
  ])('notices $title, and comes back to the newest state', async ({ begin }) => {
    const scene = await setScene();
    const { app, way, plant } = scene;
    const subscriber = await followByClient(scene);
    await app.signIn('olivia');
    await untilTold(subscriber, 'olivia');
    await begin(way);
    await app.signOut();
    await app.signIn('sam');
    const opened = way.next(({ what }) => what === 'opened');
    await way.heal();
    // The bytes that vanished are gone for good: without a sign of life it takes the connection for lost.
    let isBack = false;
    void opened.then(() => (isBack = true));
    await vi.waitFor(() => {
      if (!isBack) plant.clock.skip(1000);
      expect(isBack || subscriber.users.at(-1) === 'sam').toBe(true);
    }, SOON);
    await untilTold(subscriber, 'sam');
    expectSome(subscriber, [null, 'olivia', null, 'sam']);
  });

  it.each([
    { title: 'garbage', fault: { do: 'garble' }, from: 0 },
    { title: 'garbage in the middle of a message', fault: { do: 'garble' }, from: 40 },
    { title: 'a message twice', fault: { do: 'duplicate' }, from: 0 },
    { title: 'a message that ends early', fault: { do: 'close' }, from: 25 },
    { title: 'a message that is cut', fault: { do: 'cut' }, from: 25 },
  ] as const)('does not believe a way that mangles what the host says: $title', async ({ fault, from }) => {
    const scene = await setScene();
    const { app, way } = scene;
    const subscriber = await followByClient(scene);
    await app.signIn('olivia');
    await untilTold(subscriber, 'olivia');
    const again = way.next(({ what }) => what === 'opened');
    way.impair(fault, { direction: 'down', from });
    await app.signIn('sam');
    await again;
    await way.heal();
    await untilTold(subscriber, 'sam');
    expectSome(subscriber, [null, 'olivia', 'sam']);
  });
});

describe('a subscriber that resumes', () => {
  const subscribe = (appId: string, since?: { run: string; revision: number }) => ({
    type: 'subscribe',
    topic: 'app',
    appId,
    ...(since !== undefined && { since }),
  });

  it('is told only what it does not know, and everything after a restart of the host', async () => {
    const dataFolder = newFolder();
    const host = await startTestHost({ dataFolder });
    onTestFinished(() => rmSync(dataFolder, { recursive: true, force: true }));
    await host.addUser('olivia');
    const { app } = await host.addApp('HMI', { users: { olivia: '9' } });
    const first = await connect(host);
    first.send(subscribe(app.id));
    const { run, revision } = await first.next<AppStateMessage>();
    first.raw.terminate();

    const second = await connect(host);
    second.send(subscribe(app.id, { run, revision }));
    expect(await second.next<UnchangedMessage>()).toMatchObject({ type: 'unchanged', run, revision });
    second.raw.terminate();

    await host.signIn('olivia', app.id);
    const third = await connect(host);
    third.send(subscribe(app.id, { run, revision }));
    const news = await third.next<AppStateMessage>();
    expect(news).toMatchObject({ type: 'app', run, state: { user: 'olivia' } });
    expect(news.revision).toBeGreaterThan(revision);
    await host.close();

    await using later = await startTestHost({ dataFolder });
    const fourth = await connect(later);
    fourth.send(subscribe(app.id, { run, revision: news.revision }));
    const afresh = await fourth.next<AppStateMessage>();
    expect(afresh).toMatchObject({ type: 'app', state: { user: 'olivia' } });
    expect(afresh.run).not.toBe(run);
  });
});

async function untilTold({ users }: Subscriber, user: User | null): Promise<void> {
  await vi.waitFor(() => expect(users.at(-1)).toBe(user), SOON);
}
