/** A house for tests: the features on a temporary data folder, with time, chance and cost in the test's hands. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { z } from 'zod';
import type { App } from '../server/apps/app.ts';
import { openAudit, type Actor, type Audit, type AuditEntry } from '../server/audit/audit.ts';
import { configSchema } from '../server/config/schema.ts';
import type { EventName, Events } from '../server/events.ts';
import { openFeatures, type Features, type Settings } from '../server/features.ts';
import { createFixedClock, type Clock, type FixedClock } from '../server/ports/clock.ts';
import { createMemoryLog, type MemoryLog } from '../server/ports/log.ts';
import { createFixedRandom, type Random } from '../server/ports/random.ts';
import type { Secrets } from '../server/secrets/secrets.ts';
import type { Session } from '../server/sessions/session.ts';
import type { Presentation, SignedIn } from '../server/sessions/sessions.ts';
import type { SessionsTable } from '../server/store/schema.ts';
import type { Store } from '../server/store/store.ts';
import type { ProvisionedUser } from '../server/users/users.ts';
import type { User } from '../server/users/user.ts';

export const SECOND_MS = 1000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** The password of every user that a test gives no other. */
export const PASSWORD = 'a long enough password';

/** Somebody at a screen who has not signed in yet. */
export const DOOR: Actor = { name: 'anonymous', door: 'api', address: '192.0.2.7' };
export const ADMINISTRATOR: Actor = { name: 'Ada', door: 'page', address: '192.0.2.1' };

/** As random ones are, but the same in every run, so that a test can look for them. */
export const SECRETS: Secrets = {
  secretPwdKey: Buffer.from('the-key-that-signs-the-tokens-of-a-test'),
  passwordHashingKey: Buffer.from('the-pepper-of-a-test'),
  jwtIssuer: 'https://keyswitch.test',
  jwtAudience: 'plant',
  jwtKey: null,
};

/** Hashing at next to no cost; what Argon2id does is the same. */
const CHEAP_HASHES = { memoryKib: 64, iterations: 1, parallelism: 1 };

export interface HouseOptions {
  /** As in `keyswitch.yaml`; what is not said is the default, but for the cost of a hash. */
  readonly config?: z.input<typeof configSchema>;
  readonly secrets?: Partial<Secrets>;
}

/** One event as it was published. */
export type Published = { [Name in EventName]: { readonly name: Name } & Events[Name] }[EventName];

export interface SignInOptions {
  readonly password?: string;
  /** Keyswitch itself where it is left out. */
  readonly app?: App | null;
  readonly presentation?: Presentation;
  readonly door?: Actor;
}

export interface House {
  readonly folder: string;
  readonly clock: FixedClock;
  readonly random: Random;
  readonly log: MemoryLog;
  /** What is open now: other objects after each restart. */
  readonly features: Features;
  /** All that was published, in order, restarts included. */
  readonly events: Published[];
  /** What became of sessions since this was last asked, a line each: `operator at HMI ended: idle`. */
  story(): string[];
  /** Closes the features, does `meanwhile`, and opens them on the same folder, with other settings where given. */
  restart(options?: HouseOptions, meanwhile?: () => void | Promise<void>): Promise<void>;
  /** Moves the clock on and waits until what fell due is on disk. */
  advance(ms: number): Promise<void>;
  /** Waits until what is being written is on disk. */
  settle(): Promise<void>;
  addUser(name: string, user?: Partial<ProvisionedUser>): Promise<User>;
  /** Adds an app and lets users use it: name of the user -> data. */
  addApp(
    name: string,
    data?: Readonly<Record<string, string>>,
    logoutTimeInMin?: number,
    idleLimitInMin?: number,
  ): Promise<App>;
  signIn(username: string, options?: SignInOptions): Promise<SignedIn>;
  /** The PLC's way in: no password. */
  plcSignIn(user: User, app: App, allowAdmin?: boolean): Promise<SignedIn>;
  /** The whole audit trail, oldest first. */
  audit(): Promise<AuditEntry[]>;
  lastAudit(): Promise<AuditEntry>;
  /** The sessions' table, ended ones too. */
  sessionRows(): Promise<SessionsTable[]>;
}

/** Makes a folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'keyswitch-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Opens the audit trail of a store that is opened without the rest of the house. */
export async function openTrail(store: Store, folder: string, clock: Clock): Promise<Audit> {
  const audit = await openAudit(
    { store, clock, log: createMemoryLog(clock.now), secret: SECRETS.secretPwdKey },
    { folder, archiveFolder: join(folder, 'audit-archive'), checkpointRows: 1000, retentionDays: 0 },
  );
  onTestFinished(() => audit.close());
  return audit;
}

/** What a house is opened with. */
export function testSettings(dataFolder: string, { config = {}, secrets = {} }: HouseOptions = {}): Settings {
  const passwords = { ...CHEAP_HASHES, ...config.passwords };
  return {
    dataFolder,
    config: configSchema.parse({ ...config, passwords }),
    secrets: { ...SECRETS, ...secrets },
  };
}

const EVENT_NAMES = [
  'SessionOpened',
  'SessionEnded',
  'UserChanged',
  'AppChanged',
  'LinkChanged',
  'StorageChanged',
  'BackupChanged',
] as const satisfies readonly EventName[];

const placeOf = ({ user, app }: Session): string => `${user.name} at ${app?.name ?? 'Keyswitch'}`;

function tell(event: Published): string[] {
  if (event.name === 'SessionOpened') return [`${placeOf(event.session)} opened`];
  if (event.name !== 'SessionEnded') return [];
  const { session, reason, successor } = event;
  const next = successor === null ? '' : `, then ${successor.user.name}`;
  return [`${placeOf(session)} ended: ${reason}${next}`];
}

/** Opens the features on an empty folder; closed and deleted when the test is over. */
export async function openHouse(options: HouseOptions = {}): Promise<House> {
  const folder = temporaryFolder();
  const clock = createFixedClock();
  const random = createFixedRandom();
  const log = createMemoryLog(clock.now);
  const events: Published[] = [];
  let told = 0;
  let features = await open(options);
  onTestFinished(() => features.close());

  async function open(how: HouseOptions): Promise<Features> {
    const opened = await openFeatures(testSettings(folder, how), { clock, random, log });
    for (const name of EVENT_NAMES) {
      opened.bus.on(name, (event) => events.push({ name, ...event } as Published));
    }
    return opened;
  }

  const settle = async (): Promise<void> => {
    await features.store.write(async () => {});
    // What waited for the writes before has had its turn as well.
    await new Promise((resolve) => setImmediate(resolve));
  };

  return {
    folder,
    clock,
    random,
    log,
    events,
    settle,
    story() {
      const lines = events.slice(told).flatMap(tell);
      told = events.length;
      return lines;
    },
    get features() {
      return features;
    },
    async restart(how = options, meanwhile = () => {}) {
      await features.close();
      await meanwhile();
      features = await open(how);
    },
    async advance(ms) {
      await clock.advance(ms);
      await settle();
    },
    addUser: (name, user = {}) =>
      features.users.add(
        { name, type: 'Active', logoutTimeInMin: null, password: PASSWORD, ...user },
        ADMINISTRATOR,
      ),
    async addApp(name, data = {}, logoutTimeInMin = 10, idleLimitInMin) {
      const limits = { logoutTimeInMin, idleLimitInMin: idleLimitInMin ?? null };
      const { app } = await features.apps.add({ name, ...limits }, ADMINISTRATOR);
      for (const [username, datum] of Object.entries(data)) {
        const user = await features.users.byName(username);
        if (user === null) throw new Error(`no user ${username}`);
        await features.apps.grant(app, user, datum, ADMINISTRATOR);
      }
      return app;
    },
    signIn: (username, { password = PASSWORD, app = null, presentation = 'cookie', door = DOOR } = {}) =>
      features.sessions.signIn({
        credential: { kind: 'password', username, password },
        appId: app?.id ?? null,
        presentation,
        door,
      }),
    plcSignIn: (user, app, allowAdmin = false) =>
      features.sessions.signIn({
        credential: { kind: 'plc', userId: user.id, allowAdmin },
        appId: app.id,
        presentation: 'none',
        door: { name: 'PLC link 1', door: 'plc', address: null },
      }),
    audit: async () => (await features.audit.newest(100_000)).reverse(),
    async lastAudit() {
      const [entry] = await features.audit.newest(1);
      if (entry === undefined) throw new Error('the audit trail is empty');
      return entry;
    },
    sessionRows: () => features.store.read.selectFrom('sessions').selectAll().orderBy('opened_at').execute(),
  };
}

export interface ControlRoom {
  readonly house: House;
  /** Limit 10 minutes; the operator's data is 5, the supervisor's 9. */
  readonly hmi: App;
  /** Limit 60 minutes; the same users, with the names of roles as data. */
  readonly boiler: App;
  readonly operator: User;
  readonly supervisor: User;
}

/** Opens a house with two users and two apps that both may use. */
export async function openControlRoom(options: HouseOptions = {}): Promise<ControlRoom> {
  const house = await openHouse(options);
  const operator = await house.addUser('operator', { displayName: 'Olivia Operator' });
  const supervisor = await house.addUser('supervisor', { displayName: 'Sam Supervisor' });
  const hmi = await house.addApp('HMI', { operator: '5', supervisor: '9' });
  const boiler = await house.addApp('Boiler', { operator: 'watch', supervisor: 'tune' }, 60);
  return { house, hmi, boiler, operator, supervisor };
}

/** The files below `folder` whose bytes hold `text`, and so would give it away. */
export function filesWith(folder: string, text: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => readFileSync(file).includes(text));
}
