/** The native protocol on `/ws` (docs/clients/websocket.md): a connection subscribes to apps and topics. */
import type { Apps } from '../../apps/apps.ts';
import type { PongMessage } from '../../http/contract.ts';
import { cookieOf, isBearer, sessionOfCookie, sessionOfToken } from '../../http/caller.ts';
import { instant } from '../../http/views.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Session } from '../../sessions/session.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import { CLOSE } from '../close-codes.ts';
import type { Topic } from '../topic.ts';
import type { AppTopic } from './app-topic.ts';
import { isNative, readMessage, type ClientMessage, type SubscribeMessage } from './messages.ts';
import type { OwnSession } from './own-session.ts';
import type { Conversation, Peer, Protocol } from './protocols.ts';

export interface NativeNeeds {
  readonly apps: Apps;
  readonly sessions: Sessions;
  readonly clock: Clock;
  readonly appTopic: AppTopic;
  readonly ownSession: OwnSession;
  readonly overview: Topic;
  readonly emergencies: Topic;
  readonly plc: Topic;
}

export interface NativeOptions {
  readonly maxSubscriptions: number;
}

export function nativeProtocol(needs: NativeNeeds, { maxSubscriptions }: NativeOptions): Protocol {
  const { apps, sessions, clock, appTopic, ownSession } = needs;

  function start(peer: Peer): Conversation {
    const subscriptions = new Map<string, () => void>();
    const caller = createCaller(peer, sessions);
    let stopWatching: (() => void) | null = null;
    let isOver = false;

    function obey(message: ClientMessage): void {
      if (message.type === 'subscribe') admit(message);
      else if (message.type === 'unsubscribe') stop(nameOf(message));
      else if (message.type === 'ping') pong(message.id ?? null);
      else
        withSession((session) => {
          sessions.touch(session.id);
          ownSession.tell(peer, session);
        });
    }

    function admit(message: SubscribeMessage): void {
      const name = nameOf(message);
      // Asked again, it is told again.
      stop(name);
      if (subscriptions.size >= maxSubscriptions) {
        peer.close(CLOSE.tooMany, `subscribe to at most ${maxSubscriptions} topics and apps on a connection`);
      } else subscribe(name, message);
    }

    function subscribe(name: string, message: SubscribeMessage): void {
      const { topic } = message;
      if (topic === 'app') follow(name, message);
      else if (topic === 'emergencies') subscriptions.set(name, needs.emergencies.join(peer.outbox));
      else
        withSession((session) => {
          stopWatching ??= ownSession.watch(peer, session);
          if (topic === 'overview') ownSession.tell(peer, session);
          const stopTopic =
            topic === 'sessions' ? ownSession.joinList(peer, session) : needs[topic].join(peer.outbox);
          subscriptions.set(name, stopTopic);
        });
    }

    /** Needs no session: whoever knows an AppId may see who is at its controls (docs/decisions/006). */
    function follow(name: string, message: Extract<SubscribeMessage, { topic: 'app' }>): void {
      const { appId, key, since } = message;
      if (apps.byId(appId) === null) {
        peer.close(CLOSE.unknownApp, 'no app has this AppId');
      } else if (key !== undefined && !apps.keyMatches(appId, key)) {
        peer.close(CLOSE.notSignedIn, "that is not this app's key");
      } else {
        const isProven = key !== undefined;
        subscriptions.set(name, appTopic.join(peer, { appId, isProven, since }));
      }
    }

    function pong(id: string | null): void {
      peer.outbox.post(`pong ${id}`, () =>
        JSON.stringify({ type: 'pong', serverTime: instant(clock.now()), id } satisfies PongMessage),
      );
    }

    function withSession(action: (session: Session) => void): void {
      const session = caller.session();
      if (session !== null) action(session);
      else void sendAway(peer);
    }

    function stop(name: string): void {
      subscriptions.get(name)?.();
      subscriptions.delete(name);
    }

    function hear(text: string): void {
      // A client may be gone before its token is verified.
      if (isOver) return;
      const read = readMessage(text);
      if ('fault' in read) peer.close(CLOSE.badMessage, read.fault);
      else obey(read.message);
    }

    return {
      hear: (text) => caller.whenKnown(() => hear(text)),
      end() {
        isOver = true;
        for (const stopTopic of subscriptions.values()) stopTopic();
        subscriptions.clear();
        stopWatching?.();
      },
    };
  }

  /** A page that was away when its session ended hears why before it is closed. */
  async function sendAway(peer: Peer): Promise<void> {
    const secret = cookieOf(peer.request);
    const reason = secret === null ? null : await sessions.endingOf(secret).catch(() => null);
    if (reason === null) peer.close(CLOSE.notSignedIn, 'sign in first');
    else ownSession.tellEnd(peer, reason);
  }

  return { recognises: isNative, start };
}

function nameOf(message: Extract<ClientMessage, { topic: unknown }>): string {
  return message.topic === 'app' ? `app ${message.appId}` : message.topic;
}

interface Caller {
  /** The live session of whoever connected, or null. */
  session(): Session | null;
  /** Calls back at once, or where a token has to be verified first, after that, in the order of the calls. */
  whenKnown(action: () => void): void;
}

/** A token names its session once, at the beginning; being connected is no activity. */
function createCaller({ request, guard, fail }: Peer, sessions: Sessions): Caller {
  if (!isBearer(request))
    return { session: () => sessionOfCookie(request, sessions), whenKnown: (act) => act() };
  let id: string | null = null;
  let isKnown = false;
  const known = sessionOfToken(request, sessions).then((session) => {
    id = session?.id ?? null;
    isKnown = true;
  }, fail);
  return {
    session: () => (id === null ? null : sessions.byId(id)),
    whenKnown(action) {
      if (isKnown) action();
      else void known.then(() => guard(action));
    },
  };
}
