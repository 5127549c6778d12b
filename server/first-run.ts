/** What a new installation needs before anyone can sign in; safe to repeat, for it adds only what is missing. */
import { hostname } from 'node:os';
import { HOST_ACTOR } from './audit/audit.ts';
import type { Features } from './features.ts';
import { randomText, type Random } from './ports/random.ts';

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

export interface FirstRunOptions {
  /** Also adds an operator, a supervisor, an app `HMI` and their data there. */
  readonly sample: boolean;
  readonly appLogoutTimeInMin: number;
}

const ADMINISTRATOR = 'Administrator';
/** 144 bits: longer than any policy's minimum by default, and still typed once without despair. */
const SECRET_CHARACTERS = 24;

export async function firstRun(
  features: Features,
  random: Random,
  { sample, appLogoutTimeInMin }: FirstRunOptions,
): Promise<FirstRun> {
  const { apps } = features;
  if (apps.station() === null) {
    const name = freeName(hostname(), (wanted) => apps.byName(wanted) !== null);
    await apps.add({ name, logoutTimeInMin: appLogoutTimeInMin, station: true }, HOST_ACTOR);
  }
  return {
    administrator: await addAdministrator(features, random),
    sample: sample ? await addSample(features, random, appLogoutTimeInMin) : null,
  };
}

async function addAdministrator(features: Features, random: Random): Promise<FirstCredential | null> {
  const known = await features.users.list();
  if (known.some(({ type, enabled }) => type === 'Admin' && enabled)) return null;
  const name = freeName(ADMINISTRATOR, (wanted) => known.some((user) => user.name === wanted));
  return addUser(features, random, { name, displayName: name, type: 'Admin' });
}

/** `wanted`, or where it is taken the first free one of `wanted 2`, `wanted 3`... */
function freeName(wanted: string, isTaken: (name: string) => boolean): string {
  let name = wanted;
  for (let number = 2; isTaken(name); number += 1) name = `${wanted} ${number}`;
  return name;
}

async function addUser(
  { users, passwords }: Features,
  random: Random,
  user: { name: string; displayName: string; type: 'Active' | 'Admin' },
): Promise<FirstCredential> {
  const length = Math.max(SECRET_CHARACTERS, passwords.policy.minLength);
  const secret = randomText(random, length).slice(0, length);
  const input = { ...user, logoutTimeInMin: null, password: secret, mustChange: true };
  await users.add(input, HOST_ACTOR);
  return { username: user.name, oneTimeSecret: secret };
}

const SAMPLE_USERS = [
  { name: 'operator', displayName: 'Olivia Operator', data: '5' },
  { name: 'supervisor', displayName: 'Sam Supervisor', data: '9' },
] as const;

async function addSample(features: Features, random: Random, logoutTimeInMin: number): Promise<Sample> {
  const { users, apps } = features;
  const app = apps.byName('HMI') ?? (await apps.add({ name: 'HMI', logoutTimeInMin }, HOST_ACTOR)).app;
  const granted = new Set((await apps.usersOf(app.id)).map(({ userId }) => userId));
  const added: FirstCredential[] = [];
  for (const { name, displayName, data } of SAMPLE_USERS) {
    if ((await users.byName(name)) === null) {
      added.push(await addUser(features, random, { name, displayName, type: 'Active' }));
    }
    const user = await users.byName(name);
    if (user !== null && !granted.has(user.id)) await apps.grant(app, user, data, HOST_ACTOR);
  }
  return { users: added, app: { id: app.id, name: app.name } };
}
