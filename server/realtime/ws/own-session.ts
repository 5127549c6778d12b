/** What a signed-in client is told of its own: its session, why it ended, and the other sessions of the same user. */
import type { Bus } from '../../events.ts';
import type { OwnSessionMessage, SessionsMessage } from '../../http/contract.ts';
import { instant, viewSession, viewSessionListItem } from '../../http/views.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Session } from '../../sessions/session.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import { CLOSE } from '../close-codes.ts';
import { createListeners } from './listeners.ts';
import type { Peer } from './protocols.ts';

export interface OwnSession {
  /** Tells the session as it is. */
  tell(peer: Peer, session: Session): void;
  /** Tells that the session has ended, and why, and closes. */
  tellEnd(peer: Peer, reason: string): void;
  /** Tells that the idle limit has started anew, and the end of the session, until the returned function is called. */
  watch(peer: Peer, session: Session): () => void;
  /** The topic `sessions`: the live sessions of the same user, at once and after every change. */
  joinList(peer: Peer, session: Session): () => void;
}

export interface OwnSessionNeeds {
  readonly bus: Bus;
  readonly sessions: Sessions;
  readonly clock: Clock;
}

/** Whoever is active is so again and again: a page is told where its countdown would be off by that much. */
const TOLD_MS = 1000;

export function createOwnSession({ bus, sessions, clock }: OwnSessionNeeds): OwnSession {
  const ends = createListeners<string>();
  const renewals = createListeners<void>();
  /** What the idle limit was when a peer was last told. */
  const toldIdle = new WeakMap<Peer, number | null>();
  const lists = createListeners<void>();
  const changed = new Set<string>();

  function message(session: Session | null, reason: string | null): string {
    return JSON.stringify({
      type: 'session',
      serverTime: instant(clock.now()),
      session: session && viewSession(session, sessions),
      reason,
    } satisfies OwnSessionMessage);
  }

  function list(own: Session): string {
    const mine = sessions.list().filter(({ user }) => user.id === own.user.id);
    return JSON.stringify({
      type: 'sessions',
      serverTime: instant(clock.now()),
      sessions: mine.map((session) => viewSessionListItem(session, own, sessions)),
    } satisfies SessionsMessage);
  }

  function tellEnd(peer: Peer, reason: string): void {
    peer.outbox.post('session', () => message(null, reason));
    peer.close(CLOSE.notSignedIn, reason);
  }

  function tell(peer: Peer, { id }: Session): void {
    toldIdle.set(peer, sessions.idleExpiresAt(id));
    peer.outbox.post('session', () => message(sessions.byId(id), null));
  }

  /** Not at once, for whoever has just told of being active is answered anyway. */
  function renew(peer: Peer, session: Session): void {
    setImmediate(() => {
      const [told = null, now] = [toldIdle.get(peer), sessions.idleExpiresAt(session.id)];
      if (told === null || now === null || Math.abs(now - told) < TOLD_MS) return;
      peer.guard(() => tell(peer, session));
    });
  }

  /** The changes of one turn of the event loop are told as one. */
  function change({ user }: Session): void {
    if (!lists.has(user.id)) return;
    if (changed.size === 0) setImmediate(tellChanged);
    changed.add(user.id);
  }

  function tellChanged(): void {
    const users = [...changed];
    changed.clear();
    for (const userId of users) lists.call(userId);
  }

  sessions.onActive(({ id }) => {
    if (renewals.has(id)) renewals.call(id);
  });
  bus.on('SessionOpened', ({ session }) => change(session));
  bus.on('SessionEnded', ({ session, reason }) => {
    ends.call(session.id, reason);
    change(session);
  });

  return {
    tell,
    tellEnd,
    watch(peer, session) {
      const stopEnd = ends.add(session.id, (reason) => peer.guard(() => tellEnd(peer, reason)));
      const stopRenewals = renewals.add(session.id, () => renew(peer, session));
      return () => {
        stopEnd();
        stopRenewals();
      };
    },
    joinList(peer, session) {
      const make = (): string => list(session);
      peer.outbox.post('sessions', make);
      return lists.add(session.user.id, () => peer.guard(() => peer.outbox.post('sessions', make)));
    },
  };
}
