/** Apps: the clients that have a current user, their keys, and who may use them. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Actor, Audit } from '../audit/audit.ts';
import { KeyswitchError } from '../errors.ts';
import type { Bus } from '../events.ts';
import type { Clock } from '../ports/clock.ts';
import { randomText, type Random } from '../ports/random.ts';
import { isDuplicate, type Reader, type Store } from '../store/store.ts';
import type { User } from '../users/user.ts';
import type { App, AppUser } from './app.ts';
import {
  insertApp,
  selectApp,
  selectApps,
  selectAppUser,
  selectAppUsers,
  updateApp,
  upsertAppUser,
  type KeyedApp,
} from './apps-store.ts';

export interface NewApp {
  readonly name: string;
  readonly logoutTimeInMin: number;
  readonly idleLimitInMin?: number | null;
  readonly station?: boolean;
}

export type AppChange = Partial<Pick<App, 'logoutTimeInMin' | 'idleLimitInMin'>>;

export interface Apps {
  /** Adds an app; its key is told here once and kept as a hash only. */
  add(input: NewApp, actor: Actor): Promise<{ app: App; key: string }>;
  /** Changes the limits for sessions that are opened from now on; `not-found` where no app has the id. */
  change(id: string, change: AppChange, actor: Actor): Promise<App>;
  /** Lets `user` use `app`, or changes the data it is told of them. */
  grant(app: App, user: User, data: string, actor: Actor): Promise<void>;
  /** All apps by name, from memory. */
  list(): App[];
  /** From memory; id in any letter case. */
  byId(id: string): App | null;
  byName(name: string): App | null;
  station(): App | null;
  /** Compares in constant time. */
  keyMatches(appId: string, key: string): boolean;
  /**
   * What `app` is told of `user`, or null where they may not use it. The station admits everyone who may sign
   * in at all and is told the user's type, unless something else was granted.
   */
  roleOf(db: Reader, app: App, user: User): Promise<string | null>;
  usersOf(appId: string): Promise<AppUser[]>;
}

export interface AppsNeeds {
  readonly store: Store;
  readonly audit: Audit;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: Random;
}

/** 256 bits: guessing is out of reach, so a fast hash of it is enough. */
const KEY_BYTES = 32;

function hashOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

/** Loads the apps; they are few, and asked for on every path, so they live in memory too. */
export async function createApps({ store, audit, bus, clock, random }: AppsNeeds): Promise<Apps> {
  const apps = new Map<string, KeyedApp>();
  for (const keyed of await selectApps(store.read)) apps.set(keyed.app.id, keyed);
  const list = (): App[] =>
    [...apps.values()].map(({ app }) => app).sort((a, b) => a.name.localeCompare(b.name));

  return {
    async add({ name, logoutTimeInMin, idleLimitInMin = null, station = false }, actor) {
      const app: App = { id: random.uuid(), name, logoutTimeInMin, idleLimitInMin, station };
      const key = randomText(random, KEY_BYTES);
      const keyed: KeyedApp = { app, keyHash: hashOf(key).toString('hex') };
      await store
        .write(async (writer, afterCommit) => {
          await insertApp(writer, keyed, clock.now());
          const detail = { logoutTimeInMin, idleLimitInMin };
          await audit.append(writer, { action: 'app-added', actor, app: name, detail });
          afterCommit(() => {
            apps.set(app.id, keyed);
            bus.publish('AppChanged', { app });
          });
        })
        .catch((error: unknown) => {
          if (!isDuplicate(error)) throw error;
          throw new KeyswitchError('already-exists', `An app named ${name} exists. Choose another name.`, {
            cause: error,
          });
        });
      return { app, key };
    },
    change: (id, change, actor) =>
      store.write(async (writer, afterCommit) => {
        const keyed = await selectApp(writer, id.toLowerCase());
        if (keyed === null) throw new KeyswitchError('not-found', `No app has the id ${id}.`);
        const before = keyed.app;
        const app: App = { ...before, ...change };
        await updateApp(writer, app);
        await audit.append(writer, {
          action: 'app-changed',
          actor,
          app: app.name,
          detail: { before: changed(before, change), after: changed(app, change) },
        });
        afterCommit(() => {
          apps.set(app.id, { ...keyed, app });
          bus.publish('AppChanged', { app });
        });
        return app;
      }),
    grant: (app, user, data, actor) =>
      store.write(async (writer, afterCommit) => {
        const before = await selectAppUser(writer, app.id, user.id);
        await upsertAppUser(writer, { appId: app.id, userId: user.id, data });
        await audit.append(writer, {
          action: 'app-user-granted',
          actor,
          subject: user.name,
          app: app.name,
          detail: { before: before?.data ?? null, after: data },
        });
        afterCommit(() => bus.publish('AppChanged', { app }));
      }),
    list,
    byId: (id) => apps.get(id.toLowerCase())?.app ?? null,
    byName: (name) => list().find((app) => app.name === name) ?? null,
    station: () => list().find((app) => app.station) ?? null,
    keyMatches(appId, key) {
      const keyed = apps.get(appId.toLowerCase());
      return keyed !== undefined && timingSafeEqual(hashOf(key), Buffer.from(keyed.keyHash, 'hex'));
    },
    async roleOf(db, app, user) {
      const granted = await selectAppUser(db, app.id, user.id);
      return granted?.data ?? (app.station ? user.type : null);
    },
    usersOf: (appId) => selectAppUsers(store.read, appId),
  };
}

/** Picks from `app` the fields that `change` names, for the audit row. */
function changed(app: App, change: AppChange): Record<string, unknown> {
  return Object.fromEntries(Object.keys(change).map((field) => [field, app[field as keyof App]]));
}
