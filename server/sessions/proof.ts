/** Proving who asks: the first half of the one path. Whatever is refused is counted, recorded, and looks alike. */
import type { App } from '../apps/app.ts';
import type { Apps } from '../apps/apps.ts';
import { atMost } from '../audit/at-most.ts';
import type { Actor, Audit } from '../audit/audit.ts';
import type { Emergency } from '../emergency/emergency.ts';
import { KeyswitchError } from '../errors.ts';
import type { Lockout } from '../lockout/lockout.ts';
import type { Standing } from '../passwords/hasher.ts';
import type { MustChange, Passwords } from '../passwords/passwords.ts';
import type { Clock } from '../ports/clock.ts';
import type { AfterCommit, Store, Writer } from '../store/store.ts';
import type { User } from '../users/user.ts';
import type { Users } from '../users/users.ts';
import type { Credential, SignInRequest } from './request.ts';

/** Why a sign-in was refused: for the audit trail alone. */
export type Refusal =
  | 'unknown-user'
  | 'wrong-password'
  | 'wrong-emergency-code'
  | 'too-many-tries'
  | 'locked'
  | 'user-disabled'
  | 'user-passive'
  | 'not-allowed-at-app'
  | 'unknown-app'
  | 'admin-barred-from-plc'
  | 'app-taken'
  | 'token-used';

export interface Proven {
  readonly user: User;
  /** When the password that was typed had been set; left out where none was typed. */
  readonly passwordSetAt?: number;
  /** The password was right, but must be replaced before anything else. */
  readonly mustChange?: MustChange;
}

export interface Prover {
  /** Tells who it is, or throws what the door renders; never opens anything. */
  prove(request: SignInRequest, app: App | null, standing: Standing): Promise<Proven>;
  /** Records a refusal, counts it, and makes the error that says nothing of its reason. */
  refuse(
    request: SignInRequest,
    refusal: Refusal,
    user: User | null,
    app: App | null,
  ): Promise<KeyswitchError>;
  /** Records a try that was refused before anything of it was checked: one row a second tells how many. */
  recordUnchecked(request: SignInRequest): Promise<void>;
  /** What `user` is at `app`, or at Keyswitch itself; null where they may not use it. */
  roleAt(db: Store['read'], app: App | null, user: User): Promise<string | null>;
}

export interface ProverNeeds {
  readonly store: Store;
  readonly audit: Audit;
  readonly users: Users;
  readonly passwords: Passwords;
  readonly lockout: Lockout;
  readonly emergency: Emergency;
  readonly apps: Apps;
  readonly clock: Clock;
}

/** How often tries that nobody has looked at are recorded at most. */
export const RECORD_INTERVAL_MS = 1000;

type By<Kind extends Credential['kind']> = Extract<Credential, { kind: Kind }>;

export function createProver(needs: ProverNeeds): Prover {
  const { store, audit, users, passwords, lockout, emergency, apps, clock } = needs;
  // What costs whoever tries it next to nothing must not fill the disk with its records.
  const cheapTries = atMost(clock, RECORD_INTERVAL_MS);
  const uncheckedTries = atMost(clock, RECORD_INTERVAL_MS);

  function prove(request: SignInRequest, app: App | null, standing: Standing): Promise<Proven> {
    const { credential } = request;
    switch (credential.kind) {
      case 'password':
        return proveByPassword(credential, request, app, standing);
      case 'emergency':
        return proveByEnvelope(credential, request, app);
      case 'plc':
        return proveByName(users.byId(credential.userId), request, app);
      case 'external':
        return proveByName(users.byName(credential.username), request, app);
    }
  }

  async function proveByPassword(
    { username, password }: By<'password'>,
    request: SignInRequest,
    app: App | null,
    standing: Standing,
  ): Promise<Proven> {
    // One hash whoever it is, the locked included: time must not tell them apart (ASVS 6.3.8).
    const [user, result] = await Promise.all([
      users.byName(username),
      passwords.verify(username, password, request.door.address, standing),
    ]);
    const tried = { typedName: username, userId: user?.id ?? null, address: request.door.address };
    const verdict = lockout.settle(tried, result.check !== 'mismatch');
    if (verdict !== 'match') passwords.suspect(request.door.address);
    if (user === null) throw await refuse(request, 'unknown-user', null, app);
    if (verdict === 'locked') throw await refuse(request, 'locked', user, app);
    if (result.check === 'mismatch') throw await refuse(request, 'wrong-password', user, app);
    await refuseUnfit(request, user, app);
    // A password that has been replaced meanwhile is noticed when the session is opened.
    const { setAt: passwordSetAt } = result;
    return { user, passwordSetAt, ...(result.check === 'must-change' && { mustChange: result.why }) };
  }

  async function proveByEnvelope(
    { secret }: By<'emergency'>,
    request: SignInRequest,
    app: App | null,
  ): Promise<Proven> {
    const user = await emergency.verify(secret);
    if (user === null) throw await refuse(request, 'wrong-emergency-code', null, app);
    if (app !== null && (await roleAt(store.read, app, user)) === null) {
      await refuse(request, 'not-allowed-at-app', user, app);
      const elsewhere = 'Sign in at Keyswitch itself, without the app; the code is still good.';
      throw new KeyswitchError('forbidden', `${user.name} has no rights at ${app.name}. ${elsewhere}`);
    }
    await refuseUnfit(request, user, app);
    return { user };
  }

  async function proveByName(
    found: Promise<User | null>,
    request: SignInRequest,
    app: App | null,
  ): Promise<Proven> {
    const user = await found;
    if (user === null) throw await refuse(request, 'unknown-user', null, app);
    await refuseUnfit(request, user, app);
    return { user };
  }

  async function refuseUnfit(request: SignInRequest, user: User, app: App | null): Promise<void> {
    const refusal = refusalOf(user, await roleAt(store.read, app, user), request);
    if (refusal !== null) throw await refuse(request, refusal, user, app);
  }

  async function roleAt(db: Store['read'], app: App | null, user: User): Promise<string | null> {
    return app === null ? user.type : apps.roleOf(db, app, user);
  }

  async function refuse(
    request: SignInRequest,
    reason: Refusal,
    user: User | null,
    app: App | null,
  ): Promise<KeyswitchError> {
    const { credential, door } = request;
    const retryAfterSec = await store.write(async (writer, afterCommit) => {
      // Nobody has proved anything, and no hash slows whoever sends it again and again.
      const isCheap = reason === 'unknown-app' || (credential.kind === 'emergency' && user === null);
      const tries = isCheap ? cheapTries.note() : 1;
      if (tries > 0) {
        await audit.append(writer, {
          action: 'sign-in-refused',
          actor: door,
          subject: user?.name ?? null,
          app: app?.name ?? null,
          reason,
          detail: {
            ...(app === null && request.appId !== null && { appId: request.appId }),
            ...(tries > 1 && { tries }),
          },
        });
      }
      // Without an app nothing was checked: a panel set up with a wrong AppId locks nobody out.
      if (credential.kind !== 'password' || reason === 'unknown-app') return 0;
      return countFailure(writer, afterCommit, credential.username, user, door);
    });
    return new KeyswitchError('sign-in-refused', undefined, retryAfterSec > 0 ? { retryAfterSec } : {});
  }

  async function recordUnchecked({ credential, door }: SignInRequest): Promise<void> {
    const tries = uncheckedTries.note();
    if (tries === 0) return;
    const user = credential.kind === 'password' ? await users.byName(credential.username) : null;
    await store.write((writer) =>
      audit.append(writer, {
        action: 'sign-in-refused',
        actor: door,
        subject: user?.name ?? null,
        reason: 'too-many-tries',
        ...(tries > 1 && { detail: { tries } }),
      }),
    );
  }

  async function countFailure(
    writer: Writer,
    afterCommit: AfterCommit,
    typedName: string,
    user: User | null,
    door: Actor,
  ): Promise<number> {
    const failure = { typedName, userId: user?.id ?? null, address: door.address };
    const { retryAfterSec, locked } = await lockout.failed(writer, afterCommit, failure);
    if (locked === 'account' && user !== null) {
      await audit.append(writer, { action: 'account-locked', actor: door, subject: user.name });
    }
    return retryAfterSec;
  }

  return { prove, refuse, recordUnchecked, roleAt };
}

/** Why `user`, who is `role` where they want to be, may not be signed in there, whatever they proved. */
export function refusalOf(
  user: User,
  role: string | null,
  { credential, appId }: SignInRequest,
): Refusal | null {
  const byPlc = credential.kind === 'plc';
  if (byPlc && user.type === 'Admin' && !credential.allowAdmin) return 'admin-barred-from-plc';
  if (!user.enabled) return 'user-disabled';
  if (user.type === 'Passive' && (!byPlc || appId === null)) return 'user-passive';
  return role === null ? 'not-allowed-at-app' : null;
}
