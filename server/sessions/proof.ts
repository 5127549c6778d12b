/** Proving who asks: the first half of the one path. Whatever is refused is counted, recorded, and looks alike. */
import type { App } from '../apps/app.ts';
import type { Apps } from '../apps/apps.ts';
import { atMost } from '../audit/at-most.ts';
import type { Actor, Audit } from '../audit/audit.ts';
import type { Badges } from '../badges/badges.ts';
import type { Pins } from '../badges/pins.ts';
import { createSecondFactor, type Factor } from '../badges/second-factor.ts';
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
  | 'unknown-badge'
  | 'badge-revoked'
  | 'wrong-pin'
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
  /** The badge they came with. */
  readonly badgeId?: string;
  /** When the password, or the PIN, that was typed had been set; left out where none was typed. */
  readonly passwordSetAt?: number;
  readonly pinSetAt?: number;
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
    badgeId?: string,
  ): Promise<KeyswitchError>;
  /** The name under which tries with the credential are counted; null where they are not. */
  countedAs(credential: Credential): string | null;
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
  readonly badges: Badges;
  readonly pins: Pins;
  readonly lockout: Lockout;
  readonly emergency: Emergency;
  readonly apps: Apps;
  readonly clock: Clock;
}

/** How often tries that nobody has looked at are recorded at most. */
export const RECORD_INTERVAL_MS = 1000;

type By<Kind extends Credential['kind']> = Extract<Credential, { kind: Kind }>;

export function createProver(needs: ProverNeeds): Prover {
  const { store, audit, users, passwords, badges, pins, lockout, emergency, apps, clock } = needs;
  const secondFactor = createSecondFactor({ pins, passwords }, badges.policy);
  // What costs whoever tries it next to nothing must not fill the disk with its records.
  const cheapTries = atMost(clock, RECORD_INTERVAL_MS);
  const uncheckedTries = atMost(clock, RECORD_INTERVAL_MS);

  function prove(request: SignInRequest, app: App | null, standing: Standing): Promise<Proven> {
    const { credential } = request;
    switch (credential.kind) {
      case 'password':
        return proveByPassword(credential, request, app, standing);
      case 'badge':
        return proveByBadge(credential, request, app, standing);
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

  async function proveByBadge(
    { badge: number, secondFactor: typed }: By<'badge'>,
    request: SignInRequest,
    app: App | null,
    standing: Standing,
  ): Promise<Proven> {
    const { address } = request.door;
    if (badges.policy === 'off') {
      throw new KeyswitchError('forbidden', 'Badges sign nobody in here (badges.signIn).');
    }
    // Before anything is looked up: whoever holds a number to the door does not learn whether it is a badge.
    if (typed === undefined && secondFactor.ofEverybody !== null) throw lacks(secondFactor.ofEverybody);
    const badge = await badges.find(number);
    const user = badge === null || badge.isRevoked ? null : badge.user;
    const factor = secondFactor.of(user);
    if (typed === undefined && factor !== null) throw lacks(factor);
    const checked = factor === null ? null : await secondFactor.verify(user, typed ?? '', address, standing);
    const tried = { typedName: badges.keyOf(number), userId: user?.id ?? null, address };
    const verdict = lockout.settle(tried, user !== null && checked?.check !== 'mismatch');
    if (verdict !== 'match') passwords.suspect(address);
    if (badge === null) throw await refuse(request, 'unknown-badge', null, app);
    const refused = (refusal: Refusal) => refuse(request, refusal, badge.user, app, badge.id);
    if (user === null) throw await refused('badge-revoked');
    if (verdict === 'locked') throw await refused('locked');
    if (checked?.check === 'mismatch') throw await refused(`wrong-${checked.by}`);
    await refuseUnfit(request, user, app, badge.id);
    const proven = { user, badgeId: badge.id };
    if (checked === null) return proven;
    if (checked.by === 'pin') return { ...proven, pinSetAt: checked.setAt };
    const mustChange = checked.check === 'must-change' && { mustChange: checked.why };
    return { ...proven, passwordSetAt: checked.setAt, ...mustChange };
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

  async function refuseUnfit(
    request: SignInRequest,
    user: User,
    app: App | null,
    badgeId?: string,
  ): Promise<void> {
    const refusal = refusalOf(user, await roleAt(store.read, app, user), request);
    if (refusal !== null) throw await refuse(request, refusal, user, app, badgeId);
  }

  async function roleAt(db: Store['read'], app: App | null, user: User): Promise<string | null> {
    return app === null ? user.type : apps.roleOf(db, app, user);
  }

  async function refuse(
    request: SignInRequest,
    reason: Refusal,
    user: User | null,
    app: App | null,
    badgeId?: string,
  ): Promise<KeyswitchError> {
    const { credential, door } = request;
    const retryAfterSec = await store.write(async (writer, afterCommit) => {
      // Nobody has proved anything, and no hash slows whoever sends it again and again.
      const isCheap = reason === 'unknown-app' || (user === null && isWithoutHash(credential));
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
            ...(badgeId !== undefined && { badge: badgeId }),
            ...(tries > 1 && { tries }),
          },
        });
      }
      // Without an app nothing was checked: a panel set up with a wrong AppId locks nobody out.
      const typedName = countedAs(credential);
      if (typedName === null || reason === 'unknown-app') return 0;
      if (credential.kind === 'badge' && user !== null) await countWrongPin(writer, user, door);
      return countFailure(writer, afterCommit, typedName, user, door);
    });
    return new KeyswitchError('sign-in-refused', undefined, retryAfterSec > 0 ? { retryAfterSec } : {});
  }

  /** Whether nothing is hashed for a credential that is nobody's, whatever comes with it. */
  function isWithoutHash({ kind }: Credential): boolean {
    return kind === 'emergency' || (kind === 'badge' && secondFactor.ofEverybody === null);
  }

  async function recordUnchecked({ credential, door }: SignInRequest): Promise<void> {
    const tries = uncheckedTries.note();
    if (tries === 0) return;
    const user = await userOf(credential);
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

  async function userOf(credential: Credential): Promise<User | null> {
    if (credential.kind === 'password') return users.byName(credential.username);
    return credential.kind === 'badge' ? ((await badges.find(credential.badge))?.user ?? null) : null;
  }

  function countedAs(credential: Credential): string | null {
    if (credential.kind === 'password') return credential.username;
    return credential.kind === 'badge' ? badges.keyOf(credential.badge) : null;
  }

  async function countWrongPin(writer: Writer, { id, name }: User, actor: Actor): Promise<void> {
    if (!(await pins.failed(writer, id))) return;
    await audit.append(writer, { action: 'pin-blocked', actor, subject: name });
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

  return { prove, refuse, recordUnchecked, countedAs, roleAt };
}

function lacks(factor: Factor): KeyswitchError {
  return new KeyswitchError('second-factor-required', undefined, { factor });
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
