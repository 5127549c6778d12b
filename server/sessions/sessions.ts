/** The one path: whoever signs in, through whatever door, does so here; whoever leaves, leaves here. */
import { createHash } from 'node:crypto';
import type { App } from '../apps/app.ts';
import type { Apps } from '../apps/apps.ts';
import { HOST_ACTOR, type Actor, type Audit } from '../audit/audit.ts';
import type { Badges } from '../badges/badges.ts';
import type { Pins } from '../badges/pins.ts';
import { isKeyswitchError, KeyswitchError } from '../errors.ts';
import type { Emergency, Sealed } from '../emergency/emergency.ts';
import type { Bus } from '../events.ts';
import type { Attempt, Lockout } from '../lockout/lockout.ts';
import type { Standing } from '../passwords/hasher.ts';
import type { Passwords } from '../passwords/passwords.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { randomText, type Random } from '../ports/random.ts';
import {
  storeFailure,
  type AfterCommit,
  type Store,
  type WriteOperation,
  type Writer,
} from '../store/store.ts';
import type { Tokens } from '../tokens/tokens.ts';
import type { User } from '../users/user.ts';
import type { Users } from '../users/users.ts';
import { createBadgeChanges, type BadgeChanges } from './badge-changes.ts';
import { createPasswordChanges, type PasswordChanges } from './password-changes.ts';
import { createProver, refusalOf, type Proven, type Refusal } from './proof.ts';
import { createRegistry, type Idle } from './registry.ts';
import type { SignInRequest, Presentation } from './request.ts';
import type { EndReason, Session, SessionKind } from './session.ts';
import {
  insertSession,
  isKnownCookie,
  markEnded,
  rotateRefreshId,
  selectEnding,
  selectLastSignIns,
  selectLive,
  updateActivity,
  type StoredSession,
} from './sessions-store.ts';
import { createUnrecorded } from './unrecorded.ts';

export type { Credential, Presentation, SignInRequest } from './request.ts';

/** What a door gets for a good credential; secrets only here, only once. */
export interface SignedIn {
  readonly session: Session;
  readonly accessToken?: string;
  readonly accessTokenExpiresAt?: number;
  readonly refreshToken?: string;
  readonly cookie?: string;
  /** What the new envelope of an emergency account holds; null where the disk is full, and the old code stays good. */
  readonly sealed?: Sealed | null;
}

export interface Sessions extends PasswordChanges, BadgeChanges {
  /**
   * Signs in, durably, ending the former session at the same app. Every refusal is `sign-in-refused`, alike in
   * text and time, with the reason in the audit trail; `password-change-required` carries a ticket;
   * `second-factor-required` names what to send beside the badge;
   * `too-many-tries` where this name or address has to wait; `storage-full` where nothing can be recorded any
   * more; `not-found` for an unknown app; `busy` where too many wait.
   */
  signIn(request: SignInRequest): Promise<SignedIn>;
  /**
   * Ends a session; false where it had ended before. On a full disk it ends at once, and its row follows. The
   * audit row tells what `detail` says beside the reason.
   */
  end(id: string, reason: EndReason, by: Actor, detail?: EndDetail): Promise<boolean>;
  /** Ends the session of an app's current user; false where nobody is signed in. */
  endAtApp(appId: string, reason: EndReason, by: Actor, detail?: EndDetail): Promise<boolean>;
  /** Ends those of `whose` that are not `except`; answers how many. */
  endOthers(whose: { userId: string } | 'everyone', except: string | null, by: Actor): Promise<number>;
  /** Trades a refresh token for a new pair. A token presented twice ends its session: one of the two was stolen. */
  refresh(refreshToken: string, door: Actor): Promise<SignedIn>;
  /** The live session that an access token names, or `not-signed-in`; from memory. */
  byAccessToken(token: string): Session | Promise<Session>;
  /** The live session of a cookie's secret, or null; from memory. */
  byCookie(secret: string): Session | null;
  /** Why the session of a cookie's secret ended, for a page that was away when it did; null where that is unknown. */
  endingOf(secret: string): Promise<EndReason | null>;
  byId(id: string): Session | null;
  /** An access token as long as the session, for a door that has proved the app's key. */
  tokenOf(session: Session): Promise<string>;
  ofApp(appId: string): Session | null;
  list(): Session[];
  /** When each user last signed in, milliseconds since the epoch, by user id. */
  lastSignIns(): Promise<ReadonlyMap<string, number>>;
  /** Notes that the user is active: the idle limit starts anew. */
  touch(id: string): void;
  /** Calls `listener` with each session whose idle limit has just started anew. */
  onActive(listener: (session: Session) => void): void;
  /** When the session ends without activity, milliseconds since the epoch; null without an idle limit. */
  idleExpiresAt(id: string): number | null;
  /** Its idle limit, whatever the wall clock says; null without one. */
  idleOf(id: string): Idle | null;
  /** How much of its absolute limit is left, in milliseconds, whatever the wall clock says; null where it has ended. */
  leftOf(id: string): number | null;
  /** Counts time that the timers of the PC have not seen, for it was suspended; what fell due meanwhile ends now. */
  slept(ms: number): void;
  /** Puts on record what a full disk had refused, if it takes it by now. */
  close(): Promise<void>;
}

export interface SessionsNeeds {
  readonly store: Store;
  readonly audit: Audit;
  readonly bus: Bus;
  readonly users: Users;
  readonly passwords: Passwords;
  readonly badges: Badges;
  readonly pins: Pins;
  readonly lockout: Lockout;
  readonly emergency: Emergency;
  /** Whether there is room to record a new sign-in (docs/decisions/011). */
  readonly mayRecord: () => boolean;
  readonly apps: Apps;
  readonly tokens: Tokens;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface SessionsOptions {
  readonly browserIdleMin: number;
  readonly browserMaxHours: number;
  readonly accessTokenSec: number;
  readonly refreshTokenDays: number;
}

/** What the audit row of an end tells beside its reason. */
export interface EndDetail {
  /** What the operating system has told, such as `lock-screen`. */
  readonly event?: string;
}

/** How a session ended, for its row and the audit trail. */
interface Ending {
  readonly reason: EndReason;
  readonly by: Actor;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly detail?: EndDetail | undefined;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** How long after a failure of the store the end of a session is tried again. */
const RETRY_MS = 5_000;

/** Loads what is live, ends what fell due while the host was off, and opens the path. */
export async function openSessions(needs: SessionsNeeds, options: SessionsOptions): Promise<Sessions> {
  const { store, audit, bus, users, passwords, badges, pins, lockout, emergency } = needs;
  const { apps, tokens, clock, random, log } = needs;
  const { prove, refuse, recordUnchecked, countedAs, roleAt } = createProver(needs);
  const registry = createRegistry(clock, endForGood);
  const unrecorded = createUnrecorded(needs);
  /** How sessions ended that are still live on a disk that was full. */
  const endedUnrecorded = new Map<string, Ending>();
  /** Sessions whose end is on its way to the disk: good for nothing from the moment their user was disabled. */
  const leaving = new Set<string>();
  const activeListeners: ((session: Session) => void)[] = [];

  /** Ends a session that nobody waits for. A store that fails for a while must not make it last for ever. */
  function endForGood(session: Session, reason: EndReason): void {
    end(session.id, reason, HOST_ACTOR).catch((err: unknown) => {
      log.error(
        { err: storeFailure(err), session: session.id, reason },
        'a session could not be ended: trying again',
      );
      registry.dueIn(RETRY_MS, session.id, reason);
    });
  }

  async function signIn(request: SignInRequest): Promise<SignedIn> {
    const { credential } = request;
    if (credential.kind !== 'emergency' && !needs.mayRecord()) throw new KeyswitchError('storage-full');
    const typedName = countedAs(credential);
    if (typedName === null) return proveAndOpen(request);
    const attempt = await admit(request, typedName);
    try {
      return await proveAndOpen(request, attempt.isSuspect ? 'suspect' : 'clean');
    } finally {
      attempt.release();
    }
  }

  async function admit(request: SignInRequest, typedName: string): Promise<Attempt> {
    try {
      return lockout.admit(typedName, request.door.address);
    } catch (error) {
      await recordUnchecked(request);
      throw error;
    }
  }

  async function proveAndOpen(request: SignInRequest, standing: Standing = 'clean'): Promise<SignedIn> {
    const app = await appOf(request);
    const proven = await prove(request, app, standing);
    if (proven.mustChange !== undefined) throw await changes.ticketFor(request, proven, proven.mustChange);
    return present(await open(request, app, proven), request.presentation);
  }

  async function appOf(request: SignInRequest): Promise<App | null> {
    const { appId, credential } = request;
    if (appId === null) return null;
    const app = apps.byId(appId);
    if (app !== null) return app;
    const user = credential.kind === 'password' ? await users.byName(credential.username) : null;
    await refuse(request, 'unknown-app', user, null);
    throw new KeyswitchError('not-found', `No app has the id ${appId}.`);
  }

  type Opened = StoredSession & { readonly cookie: string | null; readonly sealed?: Sealed | null };

  /** Opens in one transaction, with what is to be done `first`; a refusal leaves nothing but its audit row. */
  async function open(
    request: SignInRequest,
    app: App | null,
    proven: Proven,
    first: WriteOperation<void> = async () => {},
  ): Promise<Opened> {
    const { credential } = request;
    const inOneTransaction = async (writer: Writer, afterCommit: AfterCommit): Promise<Opened | Refusal> => {
      // Seen again inside the transaction: the account may have been changed while the hash was computed.
      const [user, stale] = await Promise.all([users.byId(proven.user.id, writer), staleOf(writer, proven)]);
      if (user === null) return 'unknown-user';
      if (stale !== null) return stale;
      const role = await roleAt(writer, app, user);
      const refusal = refusalOf(user, role, request);
      if (refusal !== null || role === null) return refusal ?? 'not-allowed-at-app';
      if (credential.kind === 'external' && (await isKnownCookie(writer, hashOf(credential.token)))) {
        return 'token-used';
      }
      // Whoever signed in meanwhile wanted to: nobody is pushed out by a user who is only to fill the gap.
      if (credential.kind === 'plc' && credential.onlyIfNobody === true && (await isTaken(writer, app))) {
        return 'app-taken';
      }
      // Of two who open one envelope at the same time the second finds it sealed anew.
      if (credential.kind === 'emergency' && (await emergency.verify(credential.secret, writer)) === null) {
        return 'wrong-emergency-code';
      }
      await first(writer, afterCommit);
      const typedName = countedAs(credential);
      if (typedName !== null) {
        const success = { typedName, userId: user.id, address: request.door.address };
        await lockout.succeeded(writer, afterCommit, success);
      }
      if (proven.passwordSetAt !== undefined || proven.pinSetAt !== undefined) {
        await pins.succeeded(writer, afterCommit, user.id);
      }
      const opened = await openWithin(writer, afterCommit, request, app, { ...proven, user }, role);
      if (credential.kind !== 'emergency') return opened;
      // The envelope is open: whatever becomes of its code, it is good no more.
      const by = { ...request.door, name: user.name };
      return { ...opened, sealed: await emergency.sealWithin(writer, user, by, 'used') };
    };
    const outcome = await store.write(inOneTransaction).catch((error: unknown) => {
      if (credential.kind !== 'emergency' || !isKeyswitchError(error, 'storage-full')) throw error;
      return openUnrecorded(request, app, proven.user);
    });
    if (typeof outcome === 'string') throw await refuse(request, outcome, proven.user, app, proven.badgeId);
    return outcome;
  }

  async function isTaken(db: Store['read'], app: App | null): Promise<boolean> {
    return app !== null && (await selectLive(db, { appId: app.id })).length > 0;
  }

  /** What was proven, and is worth nothing any more by now. */
  async function staleOf(
    db: Store['read'],
    { user, badgeId, passwordSetAt, pinSetAt }: Proven,
  ): Promise<Refusal | null> {
    if (passwordSetAt !== undefined && (await passwords.setAt(db, user.id)) !== passwordSetAt) {
      return 'wrong-password';
    }
    if (pinSetAt !== undefined && (await pins.setAt(db, user.id)) !== pinSetAt) return 'wrong-pin';
    return badgeId !== undefined && !(await badges.isInUse(db, badgeId)) ? 'badge-revoked' : null;
  }

  /** Opens in the caller's transaction: the former session at the app ends, and nobody sees the app in between. */
  async function openWithin(
    writer: Writer,
    afterCommit: AfterCommit,
    request: SignInRequest,
    app: App | null,
    { user, badgeId }: Proven,
    role: string,
  ): Promise<Opened> {
    const opened = draft(request, app, user, role);
    const { session } = opened;
    if (app !== null) {
      for (const former of await selectLive(writer, { appId: app.id })) {
        await endWithin(writer, afterCommit, former.session, 'replaced', request.door, session);
      }
    }
    await insertSession(writer, opened);
    await audit.append(writer, {
      action: 'sign-in',
      actor: {
        ...request.door,
        name: request.credential.kind === 'plc' ? request.door.name : user.name,
      },
      subject: user.name,
      app: app?.name ?? null,
      reason: request.credential.kind,
      detail: {
        session: session.id,
        expiresAt: new Date(session.expiresAt).toISOString(),
        ...(badgeId !== undefined && { badge: badgeId }),
        ...(session.emergencyReason !== null && { emergency: session.emergencyReason }),
      },
    });
    afterCommit(() => appear(opened));
    return opened;
  }

  function appear(opened: Opened): void {
    registry.add(opened);
    bus.publish('SessionOpened', { session: opened.session });
  }

  /** Opens an emergency session on a disk that takes nothing any more; its rows follow when it does. */
  async function openUnrecorded(
    request: SignInRequest,
    app: App | null,
    user: User,
  ): Promise<Opened | Refusal> {
    const role = await roleAt(store.read, app, user);
    if (role === null) return 'not-allowed-at-app';
    const opened = draft(request, app, user, role);
    const former = app === null ? null : registry.ofApp(app.id);
    if (former !== null) endUnrecorded(former, 'replaced', request.door, opened.session);
    appear(opened);
    log.error(
      { session: opened.session.id },
      'an emergency session is open, but not on disk: the disk is full',
    );
    unrecorded.later(async (writer) => {
      await insertSession(writer, opened);
      const actor = { ...request.door, name: user.name };
      const detail = {
        session: opened.session.id,
        emergency: opened.session.emergencyReason,
        recordedLate: true,
      };
      const reason = 'emergency';
      await audit.append(writer, {
        action: 'sign-in',
        actor,
        subject: user.name,
        app: app?.name ?? null,
        reason,
        detail,
      });
    });
    return { ...opened, sealed: null };
  }

  function draft(request: SignInRequest, app: App | null, user: User, role: string): Opened {
    const now = clock.now();
    const { credential, door } = request;
    const kind: SessionKind = app !== null ? 'app' : request.presentation === 'cookie' ? 'browser' : 'bearer';
    const browserMaxMs = options.browserMaxHours * 60 * MINUTE_MS;
    const isRenewable = request.presentation === 'bearer';
    // A token that nothing renews is good for as long as its user would stay anywhere else.
    const wholeTokenMs = user.logoutTimeInMin === null ? browserMaxMs : user.logoutTimeInMin * MINUTE_MS;
    const lifetimeMs = {
      app: Math.min(user.logoutTimeInMin ?? Infinity, app?.logoutTimeInMin ?? Infinity) * MINUTE_MS,
      browser: browserMaxMs,
      bearer: isRenewable ? options.refreshTokenDays * DAY_MS : wholeTokenMs,
    }[kind];
    const idleLimitInMin = kind === 'browser' ? options.browserIdleMin : (app?.idleLimitInMin ?? null);
    const { id, name, displayName, type } = user;
    const mostMs = credential.kind === 'external' ? credential.expiresAt - now : Infinity;
    const cookie =
      credential.kind === 'external'
        ? credential.token
        : request.presentation === 'cookie'
          ? randomText(random, 32)
          : null;
    return {
      session: {
        id: random.uuid(),
        kind,
        user: { id, name, displayName, type },
        app: app === null ? null : { id: app.id, name: app.name },
        role,
        openedAt: now,
        expiresAt: now + Math.min(lifetimeMs, mostMs),
        origin: { door: door.door, address: door.address },
        emergencyReason: credential.kind === 'emergency' ? credential.reason.trim() : null,
      },
      idleTimeoutMs: idleLimitInMin === null ? null : idleLimitInMin * MINUTE_MS,
      activeAt: now,
      cookie,
      cookieHash: cookie === null ? null : hashOf(cookie),
      refreshId: request.presentation === 'bearer' ? random.uuid() : null,
    };
  }

  async function present(
    { session, cookie, refreshId, sealed }: Pick<Opened, 'session' | 'cookie' | 'refreshId' | 'sealed'>,
    presentation: Presentation,
  ): Promise<SignedIn> {
    return {
      ...(await presented({ session, cookie, refreshId }, presentation)),
      ...(sealed !== undefined && { sealed }),
    };
  }

  async function presented(
    { session, cookie, refreshId }: Pick<Opened, 'session' | 'cookie' | 'refreshId'>,
    presentation: Presentation,
  ): Promise<SignedIn> {
    if (presentation === 'cookie' && cookie !== null) return { session, cookie };
    if (presentation === 'token') {
      return {
        session,
        accessToken: await tokenOf(session),
        accessTokenExpiresAt: session.expiresAt,
      };
    }
    if (presentation !== 'bearer' || refreshId === null) return { session };
    const accessTokenExpiresAt = Math.min(clock.now() + options.accessTokenSec * 1000, session.expiresAt);
    const [accessToken, refreshToken] = await Promise.all([
      tokens.access(session, accessTokenExpiresAt),
      tokens.refresh(session, refreshId, session.expiresAt),
    ]);
    return { session, accessToken, accessTokenExpiresAt, refreshToken };
  }

  // Pollers ask for the same session again and again: signed once, it is remembered as long as the session object.
  const wholeTokens = new WeakMap<Session, Promise<string>>();
  function tokenOf(session: Session): Promise<string> {
    const known = wholeTokens.get(session);
    if (known !== undefined) return known;
    const token = tokens.access(session, session.expiresAt);
    wholeTokens.set(session, token);
    return token;
  }

  async function endWithin(
    writer: Writer,
    afterCommit: AfterCommit,
    session: Session,
    reason: EndReason,
    by: Actor,
    successor: Session | null,
    detail?: EndDetail,
  ): Promise<boolean> {
    // One that a full disk kept has ended before, in its own way.
    const ending = endedUnrecorded.get(session.id) ?? { reason, by, at: clock.now(), detail };
    if (!(await recordEnd(writer, session, ending))) return false;
    afterCommit(() => disappear(session, reason, successor));
    return true;
  }

  async function recordEnd(
    writer: Writer,
    session: Session,
    { reason, by, at, detail }: Ending,
  ): Promise<boolean> {
    if (!(await markEnded(writer, session.id, reason, at))) return false;
    await audit.append(writer, {
      action: 'session-ended',
      actor: by,
      subject: session.user.name,
      app: session.app?.name ?? null,
      reason,
      detail: { session: session.id, ...detail },
    });
    return true;
  }

  async function end(id: string, reason: EndReason, by: Actor, detail?: EndDetail): Promise<boolean> {
    const session = registry.byId(id);
    if (session === null) return false;
    return store
      .write((writer, afterCommit) => endWithin(writer, afterCommit, session, reason, by, null, detail))
      .catch((error: unknown) => endAnyway(error, session, reason, by, detail));
  }

  /** A full disk keeps nobody signed in (docs/decisions/011). */
  function endAnyway(
    error: unknown,
    session: Session | null,
    reason: EndReason,
    by: Actor,
    detail?: EndDetail,
  ): boolean {
    if (!isKeyswitchError(error, 'storage-full')) throw error;
    if (session === null || registry.byId(session.id) === null) return false;
    endUnrecorded(session, reason, by, null, detail);
    return true;
  }

  function endUnrecorded(
    session: Session,
    reason: EndReason,
    by: Actor,
    successor: Session | null,
    detail?: EndDetail,
  ): void {
    const ending: Ending = { reason, by, at: clock.now(), detail };
    endedUnrecorded.set(session.id, ending);
    disappear(session, reason, successor);
    unrecorded.later(async (writer, afterCommit) => {
      await recordEnd(writer, session, ending);
      afterCommit(() => endedUnrecorded.delete(session.id));
    });
  }

  /** Once: a session that a full disk kept ends in memory first and on disk later. */
  function disappear(session: Session, reason: EndReason, successor: Session | null): void {
    if (registry.byId(session.id) === null) return;
    registry.remove(session.id);
    leaving.delete(session.id);
    bus.publish('SessionEnded', { session, reason, successor });
  }

  async function endOthers(
    whose: { userId: string } | 'everyone',
    except: string | null,
    by: Actor,
  ): Promise<number> {
    const others = registry
      .list()
      .filter(({ id, user }) => id !== except && (whose === 'everyone' || user.id === whose.userId));
    const reason = whose === 'everyone' ? 'ended-by-administrator' : 'ended-by-owner';
    const ended = await Promise.all(others.map(({ id }) => end(id, reason, by)));
    return ended.filter(Boolean).length;
  }

  /** Ends whatever session the app has when its turn in the queue comes, not the one it had when asked. */
  function endAtApp(appId: string, reason: EndReason, by: Actor, detail?: EndDetail): Promise<boolean> {
    return store
      .write(async (writer, afterCommit) => {
        const [current] = await selectLive(writer, { appId: appId.toLowerCase() });
        if (current === undefined) return false;
        return endWithin(writer, afterCommit, current.session, reason, by, null, detail);
      })
      .catch((error: unknown) => endAnyway(error, registry.ofApp(appId.toLowerCase()), reason, by, detail));
  }

  function touch(id: string): void {
    const session = registry.byId(id);
    if (session === null || registry.idleOf(id) === null) return;
    const isDue = registry.touch(id);
    for (const listener of activeListeners) listener(session);
    if (!isDue) return;
    const activeAt = clock.now();
    store
      .write((writer) => updateActivity(writer, id, activeAt))
      .catch((err: unknown) => log.warn({ err: storeFailure(err) }, 'activity could not be noted on disk'));
  }

  function idleExpiresAt(id: string): number | null {
    const idle = registry.idleOf(id);
    const session = registry.byId(id);
    if (idle === null || session === null) return null;
    return Math.min(Math.round(clock.now() + idle.leftMs), session.expiresAt);
  }

  async function refresh(refreshToken: string, door: Actor): Promise<SignedIn> {
    const { sessionId, refreshId: former } = await tokens.verifyRefresh(refreshToken);
    const session = registry.byId(sessionId);
    if (session === null) throw new KeyswitchError('not-signed-in');
    const next = random.uuid();
    const expiresAt =
      session.kind === 'bearer' ? clock.now() + options.refreshTokenDays * DAY_MS : session.expiresAt;
    const rotated = await store.write(async (writer, afterCommit) => {
      const done = await rotateRefreshId(writer, sessionId, { former, next, expiresAt });
      if (done) afterCommit(() => registry.extend(sessionId, expiresAt));
      else
        await endWithin(
          writer,
          afterCommit,
          session,
          'refresh-reused',
          { ...door, name: session.user.name },
          null,
        );
      return done;
    });
    if (!rotated) throw new KeyswitchError('not-signed-in');
    return present({ session: { ...session, expiresAt }, cookie: null, refreshId: next }, 'bearer');
  }

  function live(sessionId: string): Session {
    const session = registry.byId(sessionId);
    if (session === null || leaving.has(sessionId)) throw new KeyswitchError('not-signed-in');
    return session;
  }

  function byCookie(secret: string): Session | null {
    const session = registry.byCookieHash(hashOf(secret));
    return session === null || leaving.has(session.id) ? null : session;
  }

  /** Ends what was live when the backup was made, whose users may have left since. */
  function endRestored(): Promise<void> {
    return store.write(async (writer, afterCommit) => {
      await audit.append(writer, { action: 'backup-restored', actor: HOST_ACTOR });
      for (const { session } of await selectLive(writer)) {
        await endWithin(writer, afterCommit, session, 'restored', HOST_ACTOR, null);
      }
      await store.adopt(writer);
    });
  }

  async function restore(): Promise<void> {
    if (store.isCopy) await endRestored();
    for (const stored of await selectLive(store.read)) {
      registry.add(stored);
      const user = await users.byId(stored.session.user.id);
      const reason =
        dueBy(stored, clock.now()) ??
        (user !== null && mayStay(user, stored.session) ? null : 'user-disabled');
      if (reason !== null) await end(stored.session.id, reason, HOST_ACTOR);
    }
  }

  const stopListening = bus.on('UserChanged', ({ user }) => {
    registry.takeOver(user);
    for (const session of registry.list()) {
      if (session.user.id !== user.id || mayStay(user, session)) continue;
      leaving.add(session.id);
      endForGood(session, 'user-disabled');
    }
  });
  await restore();

  const changes = createPasswordChanges(needs, {
    appOf,
    openAfter: async (request, app, proven, first) =>
      present(await open(request, app, proven, first), request.presentation),
    endWithin,
  });
  const badgeChanges = createBadgeChanges(needs, { endWithin });
  return {
    ...badgeChanges,
    signIn,
    changePassword: changes.changePassword,
    changeOwnPassword: changes.changeOwnPassword,
    resetPassword: changes.resetPassword,
    end,
    endAtApp,
    endOthers,
    refresh,
    byAccessToken(token) {
      const claims = tokens.verifyAccess(token);
      return claims instanceof Promise
        ? claims.then(({ sessionId }) => live(sessionId))
        : live(claims.sessionId);
    },
    byCookie,
    endingOf: (secret) => selectEnding(store.read, hashOf(secret)),
    byId: (id) => (leaving.has(id) ? null : registry.byId(id)),
    tokenOf,
    ofApp: (appId) => registry.ofApp(appId.toLowerCase()),
    list: () => registry.list(),
    lastSignIns: () => selectLastSignIns(store.read),
    touch,
    onActive: (listener) => void activeListeners.push(listener),
    idleExpiresAt,
    idleOf: (id) => registry.idleOf(id),
    leftOf: (id) => registry.leftOf(id),
    slept: (ms) => registry.slept(ms),
    async close() {
      stopListening();
      registry.close();
      await unrecorded.close();
    },
  };
}

/** What has ended the session by `now`; where it was both, what came first. */
function dueBy(
  { session, activeAt, idleTimeoutMs }: StoredSession,
  now: number,
): 'time-limit' | 'idle' | null {
  const idleAt = activeAt + (idleTimeoutMs ?? Infinity);
  if (Math.min(idleAt, session.expiresAt) > now) return null;
  return idleAt < session.expiresAt ? 'idle' : 'time-limit';
}

/** Whether a session may go on now that its user is as `user` says. */
function mayStay(user: User, session: Session): boolean {
  return user.enabled && (user.type !== 'Passive' || session.app !== null);
}

/** Only a hash of a cookie's secret is kept: who reads the database cannot take a session over. */
function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
