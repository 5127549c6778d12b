/** What a new installation needs before anyone can sign in; safe to repeat, for it adds only what is missing. */
import { hostname } from 'node:os';
import { HOST_ACTOR } from './audit/audit.ts';
import type { Features } from './features.ts';

/** A user's one-time secret, told once: it must be replaced at the first sign-in. */
export interface FirstCredential {
  readonly username: string;
  readonly oneTimeSecret: string;
}

export interface FirstRun {
  /** Null where an administrator existed already. */
  readonly administrator: FirstCredential | null;
  readonly sample: Sample | null;
}

export interface Sample {
  readonly users: readonly FirstCredential[];
  readonly app: { readonly id: string; readonly name: string };
}

/** `jube`: the administrator is the one that Jube's clients expect, good for choosing a password of their own. */
export const PRESETS = ['jube'] as const;
export type Preset = (typeof PRESETS)[number];

export interface FirstRunOptions {
  /** Also adds an operator, a supervisor, an app `HMI` and their data there. */
  readonly sample: boolean;
  readonly preset?: Preset | undefined;
  readonly appLogoutTimeInMin: number;
}

const ADMINISTRATOR = 'Administrator';

/** Anybody can sit down at a desk that was left. */
const STATION_IDLE_LIMIT_IN_MIN = 5;

export async function firstRun(
  features: Features,
  { sample, preset, appLogoutTimeInMin }: FirstRunOptions,
): Promise<FirstRun> {
  const { apps } = features;
  if (apps.station() === null) {
    const name = freeName(hostname(), (wanted) => apps.byName(wanted) !== null);
    const limits = { logoutTimeInMin: appLogoutTimeInMin, idleLimitInMin: STATION_IDLE_LIMIT_IN_MIN };
    await apps.add({ name, ...limits, station: true }, HOST_ACTOR);
  }
  return {
    administrator: await addAdministrator(features, preset),
    sample: sample ? await addSample(features, appLogoutTimeInMin) : null,
  };
}

async function addAdministrator(
  features: Features,
  preset: Preset | undefined,
): Promise<FirstCredential | null> {
  const known = await features.accounts.list();
  // A sealed emergency account administers nothing from day to day.
  if (known.some(({ user, isEmergency }) => user.type === 'Admin' && user.enabled && !isEmergency))
    return null;
  const name = freeName(ADMINISTRATOR, (wanted) => known.some(({ user }) => user.name === wanted));
  const user = { name, displayName: name, type: 'Admin' } as const;
  return preset === 'jube' ? addJubeAdministrator(features, user) : addUser(features, user);
}

/** Jube's own administrator: the secret is known to all the world, so that it is good for replacing it, and for a day. */
async function addJubeAdministrator(
  { users, passwords, store }: Features,
  user: { name: string; displayName: string; type: 'Admin' },
): Promise<FirstCredential> {
  const oneTimeSecret = ADMINISTRATOR;
  const { expiresAt } = passwords.oneTimeSecret();
  const hash = await passwords.hashOneTime(oneTimeSecret);
  await store.write(async (writer, afterCommit) => {
    const input = { ...user, logoutTimeInMin: null };
    const { id } = await users.addWithin(writer, afterCommit, input, HOST_ACTOR, 'preset');
    await passwords.set(writer, id, hash, { mustChange: true, expiresAt });
  });
  return { username: user.name, oneTimeSecret };
}

/** `wanted`, or where it is taken the first free one of `wanted 2`, `wanted 3`... */
function freeName(wanted: string, isTaken: (name: string) => boolean): string {
  let name = wanted;
  for (let number = 2; isTaken(name); number += 1) name = `${wanted} ${number}`;
  return name;
}

async function addUser(
  { users }: Features,
  user: { name: string; displayName: string; type: 'Active' | 'Admin' },
): Promise<FirstCredential> {
  const { oneTimeSecret } = await users.addWithOneTimeSecret({ ...user, logoutTimeInMin: null }, HOST_ACTOR);
  return { username: user.name, oneTimeSecret };
}

const SAMPLE_USERS = [
  { name: 'operator', displayName: 'Olivia Operator', data: '5' },
  { name: 'supervisor', displayName: 'Sam Supervisor', data: '9' },
] as const;

async function addSample(features: Features, logoutTimeInMin: number): Promise<Sample> {
  const { users, apps } = features;
  const app = apps.byName('HMI') ?? (await apps.add({ name: 'HMI', logoutTimeInMin }, HOST_ACTOR)).app;
  const granted = new Set((await apps.usersOf(app.id)).map(({ userId }) => userId));
  const added: FirstCredential[] = [];
  for (const { name, displayName, data } of SAMPLE_USERS) {
    if ((await users.byName(name)) === null) {
      added.push(await addUser(features, { name, displayName, type: 'Active' }));
    }
    const user = await users.byName(name);
    if (user !== null && !granted.has(user.id)) await apps.grant(app, user, data, HOST_ACTOR);
  }
  return { users: added, app: { id: app.id, name: app.name } };
}
