/** What the fault tests share: a host, PLCs behind proxies, and subscribers that note every state they are told. */
import { once } from 'node:events';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { HubConnectionBuilder, HttpTransportType, LogLevel } from '@microsoft/signalr';
import { expect, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import { HOST_ACTOR } from '../../server/audit/audit.ts';
import type { IAuthAuthentication } from '../../server/dialects/iauth/authentication.ts';
import { newLinkSchema, type AppStateMessage } from '../../server/http/contract.ts';
import type { LinkStatus } from '../../server/plc/link.ts';
import { startTestHost, type HostOptions, type TestHost } from '../host.ts';
import { startS7Server, type S7Server } from '../s7-server.ts';
import { createSteeredClock, type SteeredClock } from '../steered-clock.ts';
import { startTcpProxy, type TcpProxy } from '../tcp-proxy.ts';

/** The word that links follow. */
export const WORD = 188;
/** Who may sign in, with the value that stands for them in a PLC. */
export const USERS = { olivia: '9', sam: '5', tess: '7' } as const;
export type User = keyof typeof USERS;

/** Longer than any recovery but a back-off of 10 s, on a machine that is busy with other tests. */
export const SOON = { timeout: 8_000, interval: 10 } as const;

/** What a subscriber was told, in order. */
export interface Subscriber {
  readonly kind: string;
  readonly users: (string | null)[];
  close(): void;
}

export interface Plant {
  readonly host: TestHost;
  readonly clock: SteeredClock;
  /** An app with every user and a link to `W188` of DB250 on this port; resolves when the link has had its say. */
  addApp(plcPort: number, link?: LinkChanges): Promise<PlantApp>;
}

export interface LinkChanges {
  readonly onConnect?: 'host' | 'plc';
  readonly area?: string;
  readonly address?: string;
  readonly slot?: number;
}

export interface PlantApp {
  readonly id: string;
  readonly key: string;
  /** The states of its link, each once in a row. */
  readonly states: LinkStatus['state'][];
  link(): LinkStatus;
  signIn(user: User): Promise<void>;
  signOut(): Promise<void>;
  /** Who is signed in, as the API tells. */
  user(): Promise<string | null>;
}

/** Starts a host whose links poll every 20 ms and give a PLC half a second; both gone after the test. */
export async function startPlant(options: HostOptions = {}): Promise<Plant> {
  const clock = createSteeredClock();
  const config = { 'plc.pollIntervalMs': '20', 'plc.timeoutMs': '500', ...options.config };
  const host = await startTestHost({ clock, ...options, config });
  onTestFinished(() => host.close());
  for (const name of Object.keys(USERS)) await host.addUser(name);
  return { host, clock, addApp: (port, link) => addApp(host, port, link) };
}

let apps = 0;

async function addApp(host: TestHost, port: number, changes: LinkChanges = {}): Promise<PlantApp> {
  const { features } = host;
  const { slot = 2, ...others } = changes;
  const { app, key } = await host.addApp(`HMI ${++apps}`, { users: USERS, logoutTimeInMin: 60 });
  const connection = `Data Source=127.0.0.1:${port},0,${slot}`;
  const place = { area: 'DB250', address: `W${WORD}`, ...others };
  const definition = await features.links.add(
    newLinkSchema.parse({ connection, appId: app.id, ...place }),
    HOST_ACTOR,
  );
  const states: LinkStatus['state'][] = [];
  const link = (): LinkStatus => {
    const status = features.links.status().find(({ id }) => id === definition.id);
    if (status === undefined) throw new Error('the link is not running');
    return status;
  };
  const noteState = (): void => {
    const { state } = link();
    if (state !== states.at(-1)) states.push(state);
  };
  features.bus.on('LinkChanged', ({ linkId }) => {
    if (linkId === definition.id) noteState();
  });
  noteState();
  const path = `/api/v1/apps/${app.id}`;
  return {
    id: app.id,
    key,
    states,
    link,
    signIn: async (user) => void (await host.signIn(user, app.id)),
    async signOut() {
      const { status } = await host.ask('POST', `${path}/sign-out`);
      expect(status).toBe(204);
    },
    async user() {
      const { body } = await host.ask('GET', `${path}/state`);
      return (body as { user: string | null }).user;
    },
  };
}

/** Starts an S7 server that is gone after the test. */
export async function startPlc(port = 0, options: { db?: number; size?: number } = {}): Promise<S7Server> {
  const plc = await startS7Server({ port, ...options });
  onTestFinished(() => plc.close());
  return plc;
}

/** Puts a proxy before a port; gone after the test. */
export async function proxyTo(target: number): Promise<TcpProxy> {
  const proxy = await startTcpProxy({ target });
  onTestFinished(() => proxy.close());
  return proxy;
}

/** Everyone who follows an app: iAuth's form, the native one, the official SignalR client, and a native one on a way that can be held up. */
export async function subscribeAll(
  host: TestHost,
  app: PlantApp,
): Promise<{ subscribers: Subscriber[]; slow: Subscriber; way: TcpProxy }> {
  const way = await proxyTo(host.port);
  const slow = await subscribeNative(host, app.id, way.port);
  const subscribers = [
    await subscribeRaw(host, app.id),
    await subscribeNative(host, app.id),
    await subscribeSignalR(host, app.id),
  ];
  return { subscribers, slow, way };
}

/** As an iAuth client does: the bare AppId. */
export async function subscribeRaw(host: TestHost, appId: string): Promise<Subscriber> {
  const users: (string | null)[] = [];
  const socket = await openSocket(host, host.port, (text) => {
    users.push(userOf(JSON.parse(text) as IAuthAuthentication));
  });
  socket.send(appId);
  await vi.waitFor(() => expect(users).toHaveLength(1), SOON);
  return { kind: 'iAuth', users, close: () => socket.terminate() };
}

/** By the native protocol; a revision that does not grow fails the test. */
export async function subscribeNative(host: TestHost, appId: string, port = host.port): Promise<Subscriber> {
  const users: (string | null)[] = [];
  let newest = -1;
  const socket = await openSocket(host, port, (text) => {
    const { type, revision, state } = JSON.parse(text) as AppStateMessage;
    if (type !== 'app') return;
    expect(revision, 'a revision').toBeGreaterThan(newest);
    newest = revision;
    users.push(state.user);
  });
  socket.send(JSON.stringify({ type: 'subscribe', topic: 'app', appId }));
  await vi.waitFor(() => expect(users).toHaveLength(1), SOON);
  return { kind: 'native', users, close: () => socket.terminate() };
}

/** With the official client, on one connection. */
async function subscribeSignalR(host: TestHost, appId: string): Promise<Subscriber> {
  trust(host);
  const users: (string | null)[] = [];
  const connection = new HubConnectionBuilder()
    .withUrl(`${host.url}/authHub`, { transport: HttpTransportType.WebSockets })
    .configureLogging(LogLevel.None)
    .build();
  onTestFinished(() => connection.stop());
  connection.on('UserChanged', (state: IAuthAuthentication) => users.push(userOf(state)));
  await connection.start();
  await connection.invoke('Subscribe', appId);
  await vi.waitFor(() => expect(users).toHaveLength(1), SOON);
  return { kind: 'SignalR', users, close: () => void connection.stop() };
}

/** For what has no setting of its own for a certificate to trust. */
export function trust({ ca }: TestHost): void {
  setDefaultCACertificates([...getCACertificates('default'), ca]);
}

export const userOf = (state: IAuthAuthentication): string | null =>
  state.Authenticated ? state.User : null;

async function openSocket(host: TestHost, port: number, onText: (text: string) => void): Promise<WebSocket> {
  const socket = new WebSocket(`wss://127.0.0.1:${port}/ws`, { ca: host.ca });
  onTestFinished(() => socket.terminate());
  socket.on('message', (data: Buffer) => onText(data.toString()));
  await once(socket, 'open');
  socket.on('error', () => undefined);
  return socket;
}

/** Holds when API, PLC and every subscriber agree; null is nobody, whose word is 0. */
export async function everyoneSees(
  user: User | null,
  app: PlantApp,
  plc: Pick<S7Server, 'getWord'>,
  subscribers: readonly Subscriber[] = [],
): Promise<void> {
  await vi.waitFor(async () => {
    for (const { kind, users } of subscribers) expect(users.at(-1), kind).toBe(user);
    expect(await app.user()).toBe(user);
    expect(await plc.getWord(WORD)).toBe(user === null ? 0 : Number(USERS[user]));
  }, SOON);
}

/** Waits until the link is in a state. */
export async function untilState(app: PlantApp, ...states: LinkStatus['state'][]): Promise<void> {
  await vi.waitFor(() => expect(states).toContain(app.link().state), SOON);
}

/** Waits until the link has noticed that its PLC is away. */
export async function untilLost(app: PlantApp): Promise<void> {
  await vi.waitFor(() => expect(['online', 'degraded']).not.toContain(app.link().state), SOON);
}

/** Each of `users` in its place, and nothing else between. */
export function expectSeen(subscribers: readonly Subscriber[], users: readonly (User | null)[]): void {
  for (const subscriber of subscribers) expect(subscriber.users, subscriber.kind).toEqual(users);
}

/** The newest at the end, and nothing that was not there or in another order. */
export function expectSome(subscriber: Subscriber, users: readonly (User | null)[]): void {
  let at = 0;
  for (const user of subscriber.users) {
    at = users.indexOf(user as User | null, at) + 1;
    expect(at, `${subscriber.kind}: ${String(user)} in its place`).toBeGreaterThan(0);
  }
  expect(subscriber.users.at(-1)).toBe(users.at(-1));
}
