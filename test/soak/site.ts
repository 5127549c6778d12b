/** The site of the soak: a host as it is delivered, PLCs behind proxies, and an app with a link for each of them. */
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { residentMib, scratchFolder } from '../../bench/harness.ts';
import { standInMib, startDesktop } from '../../bench/desktop-host.ts';
import { startHost } from '../../bench/host.ts';
import { HOST_ACTOR } from '../../server/audit/audit.ts';
import { newLinkSchema } from '../../server/http/contract.ts';
import { PASSWORD, send, startTestHost, type Answer, type Ask } from '../host.ts';
import { startS7Server, type S7Server } from '../s7-server.ts';
import { startTcpProxy, type TcpProxy } from '../tcp-proxy.ts';

export const WORD = 188;
/** Who signs in, with the value that stands for them in a PLC. */
export const USERS: Readonly<Record<string, number>> = { ann: 4, ben: 5, cleo: 7, dan: 8, eve: 9 };
const ADMINISTRATOR = 'ada';

export interface Place {
  readonly number: number;
  readonly appId: string;
  readonly linkId: string;
  /** Who has precedence when a connection is made. */
  readonly onConnect: 'host' | 'plc';
  readonly way: TcpProxy;
  /** Another one after a restart. */
  plc: S7Server;
}

export interface Site {
  readonly folder: string;
  readonly places: readonly Place[];
  readonly port: number;
  readonly url: string;
  /** Null while it is down. */
  readonly pid: number | null;
  /** What its process holds, without what belongs to the stand-in for Electron; throws where it is gone. */
  residentMib(): number;
  /** Sends a request; rejects when no answer comes. */
  ask(method: string, path: string, ask?: Ask): Promise<Answer>;
  signInAsAdministrator(): Promise<string>;
  /** Resolves when it is ready. */
  start(): Promise<void>;
  stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  close(): Promise<void>;
}

/** How long an answer may take before it counts as none. */
const PATIENCE_MS = 15_000;

export interface SiteOptions {
  readonly plcs: number;
  /** Of `serve`. */
  readonly flags: readonly string[];
  /** The host is that of a desktop, in its main process. */
  readonly isDesktop: boolean;
}

export async function openSite({ plcs, flags, isDesktop }: SiteOptions): Promise<Site> {
  const folder = scratchFolder();
  const machines = await inTurn(plcs, async () => {
    const plc = await startS7Server();
    return { plc, way: await startTcpProxy({ target: plc.port }) };
  });
  const places = await populate(folder, machines);
  const port = await freePort();
  const url = `https://127.0.0.1:${port}`;
  const open = isDesktop ? startDesktop : startHost;
  const notOursMib = isDesktop ? await standInMib() : 0;
  let host: Awaited<ReturnType<typeof open>> | null = null;
  let agent = new Agent();

  async function ask(method: string, path: string, given?: Ask): Promise<Answer> {
    const late = AbortSignal.timeout(PATIENCE_MS);
    const tooLate = once(late, 'abort').then(() => {
      throw new Error(`no answer to ${method} ${path} within ${PATIENCE_MS} ms`);
    });
    return Promise.race([send(url, agent, method, path, given), tooLate]);
  }

  return {
    folder,
    places,
    port,
    url,
    get pid() {
      return host?.pid ?? null;
    },
    residentMib: () => residentMib(host?.pid ?? 0) - notOursMib,
    ask,
    async signInAsAdministrator() {
      const json = { username: ADMINISTRATOR, password: PASSWORD };
      const { body } = await ask('POST', '/api/v1/sign-in', { json });
      return (body as { accessToken: string }).accessToken;
    },
    async start() {
      host = await open(folder, ['--port', String(port), ...flags]);
      const ca = readFileSync(join(folder, 'tls', 'ca.crt'), 'utf8');
      setDefaultCACertificates([...getCACertificates('bundled'), ca]);
      agent = new Agent({ keepAlive: true, ca, maxSockets: 8 });
    },
    async stop(signal) {
      const stopped = host;
      host = null;
      if (stopped === null) return;
      process.kill(stopped.pid, signal);
      await stopped[Symbol.asyncDispose]();
      agent.destroy();
    },
    async close() {
      for (const { way, plc } of places) {
        await way.close();
        await plc.close();
      }
    },
  };
}

async function populate(
  dataFolder: string,
  machines: readonly { plc: S7Server; way: TcpProxy }[],
): Promise<Place[]> {
  await using host = await startTestHost({ dataFolder });
  await host.addUser(ADMINISTRATOR, { type: 'Admin' });
  for (const name of Object.keys(USERS)) await host.addUser(name);
  const users = Object.fromEntries(Object.entries(USERS).map(([name, value]) => [name, String(value)]));
  const places: Place[] = [];
  for (const [number, { plc, way }] of machines.entries()) {
    const { app } = await host.addApp(`HMI ${number + 1}`, { users, logoutTimeInMin: 24 * 60 });
    const onConnect = number % 2 === 0 ? 'host' : 'plc';
    const connection = `Data Source=127.0.0.1:${way.port},0,2`;
    const link = newLinkSchema.parse({
      ...{ connection, area: 'DB250', address: `W${WORD}`, appId: app.id, onConnect },
      lifeBit: 'X1920',
      userName: 'S200.32',
    });
    const { id: linkId } = await host.features.links.add(link, HOST_ACTOR);
    places.push({ number: number + 1, appId: app.id, linkId, onConnect, way, plc });
  }
  return places;
}

async function inTurn<Item>(count: number, make: () => Promise<Item>): Promise<Item[]> {
  const items: Item[] = [];
  while (items.length < count) items.push(await make());
  return items;
}

/** Restarts on the same port need one that nobody gives away in between: below those that the system hands out. */
async function freePort(): Promise<number> {
  for (let port = 21_000 + (process.pid % 5000); ; port += 1) {
    const probe = createServer().listen(port, '127.0.0.1');
    const isFree = await Promise.race([
      once(probe, 'listening').then(() => true),
      once(probe, 'error').then(() => false),
    ]).catch(() => false);
    if (!isFree) continue;
    probe.close();
    await once(probe, 'close');
    return port;
  }
}

/** Kills a PLC and starts it again, with an empty memory. */
export async function restartPlc(place: Place, forMs: number): Promise<void> {
  const { port } = place.plc;
  await place.plc.kill();
  await sleep(forMs);
  place.plc = await startS7Server({ port });
}
