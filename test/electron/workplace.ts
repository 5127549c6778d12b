/** A station with people for the desktop's tests: `ada` is an administrator, `olivia` none; everything gone afterwards. */
import { rmSync } from 'node:fs';
import { Agent } from 'node:https';
import { HOST_ACTOR } from '../../server/audit/audit.ts';
import { readControl } from '../../server/control.ts';
import { newFolder, PASSWORD, send, startTestHost, type Answer, type Ask } from '../host.ts';
import { connect, type Socket } from '../socket.ts';
import { readyUrl, type Desktop, type Starter } from './desktop.ts';

export interface Workplace {
  readonly desktop: Desktop;
  /** Where its host is. */
  readonly url: string;
  readonly dataFolder: string;
  /** What it was started with. */
  readonly given: readonly string[];
  readonly stationId: string;
  /** Asks its host, as an administrator by default. */
  ask(method: string, path: string, ask?: Ask): Promise<Answer>;
  /** Signs a user in at the station from elsewhere: no page of the desktop has a part in it. */
  signIn(username: string): Promise<void>;
  /** A screen of the plant that looks at who is at the station. */
  watchStation(): Promise<StationScreen>;
  close(): Promise<void>;
}

export interface StationScreen {
  /** Resolves with the next that is told: the user's name, or null for nobody. */
  next(): Promise<string | null>;
  close(): void;
}

export interface WorkplaceOptions {
  readonly language?: string;
  /** Settings by path, as on the command line. */
  readonly config?: Readonly<Record<string, string>>;
  /** Of the station, in minutes. */
  readonly idleLimitInMin?: number;
  /** Puts something into the data folder before the desktop starts. */
  readonly prepare?: (dataFolder: string) => void;
}

/** Cheap hashes, on a free port. */
const CONFIG = { 'http.port': '0', 'passwords.memoryKib': '8', 'passwords.iterations': '1' };

/** The command line of a desktop on `dataFolder`. */
export function argumentsFor(
  dataFolder: string,
  { language = 'en', config = {} }: WorkplaceOptions = {},
): string[] {
  const settings = Object.entries({ ...CONFIG, ...config }).map(([path, value]) => `${path}=${value}`);
  return [`--lang=${language}`, '--data', dataFolder, ...settings.flatMap((setting) => ['--set', setting])];
}

export async function openWorkplace(starter: Starter, options: WorkplaceOptions = {}): Promise<Workplace> {
  const dataFolder = newFolder();
  const stationId = await people(dataFolder, options);
  options.prepare?.(dataFolder);
  const given = argumentsFor(dataFolder, options);
  const desktop = await starter.open(given);
  const url = await readyUrl(desktop);
  const control = readControl(dataFolder);
  if (control === null) throw new Error('the host has left no word of itself');
  const agent = new Agent({ ca: control.trust, keepAlive: true });

  return {
    desktop,
    url,
    dataFolder,
    given,
    stationId,
    ask: (method, path, ask = { token: control.key }) => send(url, agent, method, path, ask),
    async signIn(username) {
      const json = { username, password: PASSWORD, appId: stationId };
      const { status, text } = await send(url, agent, 'POST', '/api/v1/sign-in', { json });
      if (status !== 200) throw new Error(`${username} could not sign in: ${text}`);
    },
    async watchStation() {
      const socket = await connect({ url, ca: control.trust });
      socket.send({ type: 'subscribe', topic: 'app', appId: stationId });
      await nextState(socket);
      return { next: () => nextState(socket), close: () => socket.raw.terminate() };
    },
    async close() {
      agent.destroy();
      await desktop.end();
      rmSync(dataFolder, { recursive: true, force: true });
    },
  };
}

/** Fills the folder with a host that is gone before the desktop's own starts. */
async function people(dataFolder: string, { idleLimitInMin }: WorkplaceOptions): Promise<string> {
  await using house = await startTestHost({ dataFolder });
  await house.addUser('ada', { type: 'Admin' });
  await house.addUser('olivia');
  const station = house.features.apps.station();
  if (station === null) throw new Error('the host has no station');
  if (idleLimitInMin !== undefined) {
    await house.features.apps.change(station.id, { idleLimitInMin }, HOST_ACTOR);
  }
  return station.id;
}

async function nextState(socket: Socket): Promise<string | null> {
  const { state } = await socket.next<{ state: { user: string | null } }>();
  return state.user;
}
