/** The one path: whoever signs in, through whatever door, does so here; whoever leaves, leaves here. */
import { createHash } from 'node:crypto';
import type { App } from '../apps/app.ts';
import type { Apps } from '../apps/apps.ts';
import { HOST_ACTOR, type Actor, type Audit } from '../audit/audit.ts';
import { KeyswitchError } from '../errors.ts';
import type { Bus } from '../events.ts';
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
import { createRegistry } from './registry.ts';
import type { EndReason, Session, SessionKind } from './session.ts';
import {
  insertSession,
  markEnded,
  rotateRefreshId,
  selectEnding,
  selectLive,
  updateActivity,
  type StoredSession,
} from './sessions-store.ts';
import { createTickets } from './tickets.ts';

export type Credential =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** The PLC named the user; it proves nothing but that whoever stands at the panel chose so. */
  | { readonly kind: 'plc'; readonly userId: string; readonly allowAdmin: boolean };

/**
 * How the session is shown to its door. `bearer`: an access and a refresh token. `cookie`: a secret for a cookie.
 * `token`: one access token as long as the session (iAuth). `none`: nothing (the PLC).
 */
export type Presentation = 'bearer' | 'cookie' | 'token' | 'none';

export interface SignInRequest {
  readonly credential: Credential;
  /** The app to become the current user of; null for Keyswitch itself. */
  readonly appId: string | null;
  readonly presentation: Presentation;
  readonly door: Actor;
}

/** What a door gets for a good credential; secrets only here, only once. */
export interface SignedIn {
  readonly session: Session;
  readonly accessToken?: string;
  readonly accessTokenExpiresAt?: number;
  readonly refreshToken?: string;
  readonly cookie?: string;
}

export interface Sessions {
  /**
   * Signs in, durably, ending the former session at the same app. Every refusal is `sign-in-refused`, alike in
   * text and time, with the reason in the audit trail; `password-change-required` carries a ticket;
   * `not-found` for an unknown app; `busy` where too many wait.
   */
  signIn(request: SignInRequest): Promise<SignedIn>;
  /** Replaces the password a ticket was issued for, ends the user's other sessions, and finishes the sign-in. */
  changePassword(ticket: string, newPassword: string, door: Actor): Promise<SignedIn>;
  /** Ends a session; false where it had ended before. */
  end(id: string, reason: EndReason, by: Actor): Promise<boolean>;
  /** Ends the session of an app's current user; false where nobody is signed in. */
  endAtApp(appId: string, reason: EndReason, by: Actor): Promise<boolean>;
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
  /** Notes that the user is active: the idle limit starts anew. */
  touch(id: string): void;
  idleExpiresAt(id: string): number | null;
  close(): void;
}

export interface SessionsNeeds {
  readonly store: Store;
  readonly audit: Audit;
  readonly bus: Bus;
  readonly users: Users;
  readonly passwords: Passwords;
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

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Why a sign-in was refused: for the audit trail alone. */
type Refusal =
  | 'unknown-user'
  | 'wrong-password'
  | 'user-disabled'
  | 'user-passive'
  | 'not-allowed-at-app'
  | 'unknown-app'
  | 'admin-barred-from-plc';

interface Proven {
  readonly user: User;
  /** When the password that was typed had been set; left out where none was typed. */
  readonly passwordSetAt?: number | null;
}

interface PendingChange {
  readonly user: User;
  readonly request: SignInRequest;
}

/** How long after a failure of the store the end of a session is tried again. */
const RETRY_MS = 5_000;

/** Loads what is live, ends what fell due while the host was off, and opens the path. */
export async function openSessions(needs: SessionsNeeds, options: SessionsOptions): Promise<Sessions> {
  const { store, audit, bus, users, passwords, apps, tokens, clock, random, log } = needs;
  const tickets = createTickets<PendingChange>(needs);
  const registry = createRegistry(clock, endForGood);
  /** Sessions whose end is on its way to the disk: good for nothing from the moment their user was disabled. */
  const leaving = new Set<string>();

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
    const app = await appOf(request);
    const proven = await prove(request, app);
    return present(await open(request, app, proven), request.presentation);
  }

  async function appOf({ appId, credential, door }: SignInRequest): Promise<App | null> {
    if (appId === null) return null;
    const app = apps.byId(appId);
    if (app !== null) return app;
    const subject = credential.kind === 'password' ? (await users.byName(credential.username))?.name : null;
    await recordRefusal(door, 'unknown-app', subject ?? null, null, { appId });
    throw new KeyswitchError('not-found', `No app has the id ${appId}.`);
  }

  async function prove(request: SignInRequest, app: App | null): Promise<Proven> {
    const { credential } = request;
    if (credential.kind === 'plc') return proveByPlc(credential, request, app);
    const user = await users.byName(credential.username);
    // Read before the hash is: a password that is replaced from here on is noticed when the session is opened.
    const passwordSetAt = user === null ? null : await passwords.setAt(store.read, user.id);
    const check = await passwords.verify(user?.id ?? null, credential.password);
    if (user === null) throw await refuse(request, 'unknown-user', null, app);
    if (check === 'mismatch') throw await refuse(request, 'wrong-password', user, app);
    const refusal = refusalOf(user, await roleAt(store.read, app, user), request);
    if (refusal !== null) throw await refuse(request, refusal, user, app);
    if (check === 'match-must-change') {
      throw new KeyswitchError('password-change-required', undefined, {
        ticket: tickets.issue({ user, request }),
      });
    }
    return { user, passwordSetAt };
  }

  async function proveByPlc(
    credential: Extract<Credential, { kind: 'plc' }>,
    request: SignInRequest,
    app: App | null,
  ): Promise<Proven> {
    const user = await users.byId(credential.userId);
    if (user === null) throw await refuse(request, 'unknown-user', null, app);
    const refusal = refusalOf(user, await roleAt(store.read, app, user), request);
    if (refusal !== null) throw await refuse(request, refusal, user, app);
    return { user };
  }

  /** What `user` is at `app`, or at Keyswitch itself; null where they may not use it. */
  async function roleAt(db: Store['read'], app: App | null, user: User): Promise<string | null> {
    return app === null ? user.type : apps.roleOf(db, app, user);
  }

  async function refuse(
    { door }: SignInRequest,
    refusal: Refusal,
    user: User | null,
    app: App | null,
  ): Promise<KeyswitchError> {
    await recordRefusal(door, refusal, user?.name ?? null, app?.name ?? null);
    return new KeyswitchError('sign-in-refused');
  }

  function recordRefusal(
    actor: Actor,
    reason: Refusal,
    subject: string | null,
    app: string | null,
    detail: Record<string, unknown> = {},
  ): Promise<void> {
    return store.write((writer) =>
      audit.append(writer, { action: 'sign-in-refused', actor, subject, app, reason, detail }),
    );
  }

  type Opened = StoredSession & { readonly cookie: string | null };

  /** Opens in one transaction, with what is to be done `first`; a refusal leaves nothing but its audit row. */
  async function open(
    request: SignInRequest,
    app: App | null,
    proven: Proven,
    first: WriteOperation<void> = async () => {},
  ): Promise<Opened> {
    const outcome = await store.write(async (writer, afterCommit): Promise<Opened | Refusal> => {
      // Seen again inside the transaction: the account may have been changed while the hash was computed.
      const user = await users.byId(proven.user.id, writer);
      if (user === null) return 'unknown-user';
      if (await isReplaced(writer, proven)) return 'wrong-password';
      const role = await roleAt(writer, app, user);
      const refusal = refusalOf(user, role, request);
      if (refusal !== null || role === null) return refusal ?? 'not-allowed-at-app';
      await first(writer, afterCommit);
      return openWithin(writer, afterCommit, request, app, user, role);
    });
    if (typeof outcome === 'string') throw await refuse(request, outcome, proven.user, app);
    return outcome;
  }

  async function isReplaced(db: Store['read'], { user, passwordSetAt }: Proven): Promise<boolean> {
    return passwordSetAt !== undefined && (await passwords.setAt(db, user.id)) !== passwordSetAt;
  }

  /** Opens in the caller's transaction: the former session at the app ends, and nobody sees the app in between. */
  async function openWithin(
    writer: Writer,
    afterCommit: AfterCommit,
    request: SignInRequest,
    app: App | null,
    user: User,
    role: string,
  ): Promise<Opened> {
    const opened = draft(request, app, user, role);
    const { session } = opened;
    if (app !== null) {
      for (const former of await selectLive(writer, { appId: app.id })) {
        await endWithin(writer, afterCommit, former.session, 'replaced', request.door, session);
      }
    }
    await insertSession(writer, opened, request.door);
    await audit.append(writer, {
      action: 'sign-in',
      actor: {
        ...request.door,
        name: request.credential.kind === 'password' ? user.name : request.door.name,
      },
      subject: user.name,
      app: app?.name ?? null,
      reason: request.credential.kind,
      detail: { session: session.id, expiresAt: new Date(session.expiresAt).toISOString() },
    });
    afterCommit(() => {
      registry.add(opened);
      bus.publish('SessionOpened', { session });
    });
    return opened;
  }

  function draft(request: SignInRequest, app: App | null, user: User, role: string): Opened {
    const now = clock.now();
    const kind: SessionKind = app !== null ? 'app' : request.presentation === 'cookie' ? 'browser' : 'bearer';
    const lifetimeMs = {
      app: Math.min(user.logoutTimeInMin ?? Infinity, app?.logoutTimeInMin ?? Infinity) * MINUTE_MS,
      browser: options.browserMaxHours * 60 * MINUTE_MS,
      bearer: options.refreshTokenDays * DAY_MS,
    }[kind];
    const { id, name, displayName, type } = user;
    const cookie = request.presentation === 'cookie' ? randomText(random, 32) : null;
    return {
      session: {
        id: random.uuid(),
        kind,
        user: { id, name, displayName, type },
        app: app === null ? null : { id: app.id, name: app.name },
        role,
        openedAt: now,
        expiresAt: now + lifetimeMs,
      },
      idleTimeoutMs: kind === 'browser' ? options.browserIdleMin * MINUTE_MS : null,
      activeAt: now,
      cookie,
      cookieHash: cookie === null ? null : hashOf(cookie),
      refreshId: request.presentation === 'bearer' ? random.uuid() : null,
    };
  }

  async function present(
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

  async function changePassword(ticket: string, newPassword: string, door: Actor): Promise<SignedIn> {
    const pending = tickets.find(ticket);
    if (pending === null) throw new KeyswitchError('ticket-invalid');
    const { user, request } = pending;
    const app = await appOf(request);
    const hash = await passwords.prepare(newPassword, user);
    if ((await passwords.verify(user.id, newPassword)) !== 'mismatch') {
      const fault = { field: 'newPassword', message: 'The new password must differ from the present one.' };
      throw new KeyswitchError('password-unacceptable', fault.message, { faults: [fault] });
    }
    const opened = await open({ ...request, door }, app, { user }, async (writer, afterCommit) => {
      // A ticket is for one change: of two at once the second finds it used, and one that was also given out for
      // the same secret finds the secret replaced.
      if (tickets.find(ticket) === null || !(await passwords.mustChange(writer, user.id))) {
        throw new KeyswitchError('ticket-invalid');
      }
      tickets.use(ticket);
      await passwords.set(writer, user.id, hash, { mustChange: false });
      const actor = { ...door, name: user.name };
      await audit.append(writer, { action: 'password-changed', actor, subject: user.name });
      for (const { session } of await selectLive(writer, { userId: user.id })) {
        // The one at this app gives way to its successor, without a moment in which nobody is there.
        if (app !== null && session.app?.id === app.id) continue;
        await endWithin(writer, afterCommit, session, 'password-changed', actor, null);
      }
    });
    return present(opened, request.presentation);
  }

  async function endWithin(
    writer: Writer,
    afterCommit: AfterCommit,
    session: Session,
    reason: EndReason,
    by: Actor,
    successor: Session | null,
  ): Promise<boolean> {
    if (!(await markEnded(writer, session.id, reason, clock.now()))) return false;
    await audit.append(writer, {
      action: 'session-ended',
      actor: by,
      subject: session.user.name,
      app: session.app?.name ?? null,
      reason,
      detail: { session: session.id },
    });
    afterCommit(() => {
      registry.remove(session.id);
      leaving.delete(session.id);
      bus.publish('SessionEnded', { session, reason, successor });
    });
    return true;
  }

  async function end(id: string, reason: EndReason, by: Actor): Promise<boolean> {
    const session = registry.byId(id);
    if (session === null) return false;
    return store.write((writer, afterCommit) => endWithin(writer, afterCommit, session, reason, by, null));
  }

  /** Ends whatever session the app has when its turn in the queue comes, not the one it had when asked. */
  function endAtApp(appId: string, reason: EndReason, by: Actor): Promise<boolean> {
    return store.write(async (writer, afterCommit) => {
      const [current] = await selectLive(writer, { appId: appId.toLowerCase() });
      if (current === undefined) return false;
      return endWithin(writer, afterCommit, current.session, reason, by, null);
    });
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

  async function restore(): Promise<void> {
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

  return {
    signIn,
    changePassword,
    end,
    endAtApp,
    refresh,
    byAccessToken(token) {
      const claims = tokens.verifyAccess(token);
      return claims instanceof Promise
        ? claims.then(({ sessionId }) => live(sessionId))
        : live(claims.sessionId);
    },
    byCookie,
    endingOf: (secret) => selectEnding(store.read, hashOf(secret)),
    byId: (id) => registry.byId(id),
    tokenOf,
    ofApp: (appId) => registry.ofApp(appId.toLowerCase()),
    list: () => registry.list(),
    touch(id) {
      if (!registry.touch(id)) return;
      const activeAt = clock.now();
      store
        .write((writer) => updateActivity(writer, id, activeAt))
        .catch((err: unknown) => log.warn({ err: storeFailure(err) }, 'activity could not be noted on disk'));
    },
    idleExpiresAt: (id) => registry.idleExpiresAt(id),
    close() {
      stopListening();
      registry.close();
    },
  };
}

/** Why `user`, who is `role` where they want to be, may not be signed in there, whatever they proved. */
function refusalOf(user: User, role: string | null, { credential, appId }: SignInRequest): Refusal | null {
  const byPassword = credential.kind === 'password';
  if (!byPassword && user.type === 'Admin' && !credential.allowAdmin) return 'admin-barred-from-plc';
  if (!user.enabled) return 'user-disabled';
  if (user.type === 'Passive' && (byPassword || appId === null)) return 'user-passive';
  return role === null ? 'not-allowed-at-app' : null;
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
