/** The native protocol on `/ws`: a page sees one app's state; a signed-in one every app and link, and its own session's end. */
import { z } from 'zod';
import type { Bus } from '../../events.ts';
import type { Apps } from '../../apps/apps.ts';
import {
  guidSchema,
  type AppStateMessage,
  type EmergenciesMessage,
  type OwnSessionMessage,
} from '../../http/contract.ts';
import { cookieOf, sessionOfCookie } from '../../http/caller.ts';
import { instant, viewAppState, viewEmergencies, viewSession } from '../../http/views.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Session } from '../../sessions/session.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import { onCurrentUser } from '../../sessions/current-user.ts';
import type { Overview } from '../overview.ts';
import { CLOSE, type Peer, type Protocol } from './door.ts';

const messageSchema = z.union([
  z.strictObject({ type: z.literal('subscribe'), topic: z.literal('overview') }),
  /** Needs no session: whoever knows an AppId may see who is at its controls. */
  z.strictObject({ type: z.literal('subscribe'), topic: z.literal('app'), appId: guidSchema }),
  /** Needs no session either: who and why stay out of it. */
  z.strictObject({ type: z.literal('subscribe'), topic: z.literal('emergencies') }),
  /** The user touched the page: the idle limit starts anew. */
  z.strictObject({ type: z.literal('activity') }),
]);

type Message = z.output<typeof messageSchema>;

export interface NativeNeeds {
  readonly apps: Apps;
  readonly sessions: Sessions;
  readonly overview: Overview;
  readonly bus: Bus;
  readonly clock: Clock;
}

export function nativeProtocol({ apps, sessions, overview, bus, clock }: NativeNeeds): Protocol {
  function ownSession(session: Session | null, reason: string | null): string {
    return JSON.stringify({
      type: 'session',
      serverTime: instant(clock.now()),
      session: session && viewSession(session, sessions),
      reason,
    } satisfies OwnSessionMessage);
  }

  function subscribe(peer: Peer, session: Session): void {
    peer.send(ownSession(session, null));
    peer.send(overview.text());
    const stopOverview = overview.onChange(() => peer.send(overview.text()));
    const stopSession = bus.on('SessionEnded', ({ session: ended, reason }) => {
      if (ended.id !== session.id) return;
      peer.send(ownSession(null, reason));
      peer.close(CLOSE.notSignedIn, reason);
    });
    peer.onGone(() => {
      stopOverview();
      stopSession();
    });
  }

  function follow(peer: Peer, appId: string): void {
    const app = apps.byId(appId);
    if (app === null) {
      peer.close(CLOSE.unknownApp, 'no app has this AppId');
      return;
    }
    const tell = (session: Session | null): void => {
      const state = viewAppState(session);
      const serverTime = instant(clock.now());
      const emergencies = viewEmergencies(sessions.list(), false);
      const message = {
        type: 'app',
        serverTime,
        appId: app.id,
        state,
        emergencies,
      } satisfies AppStateMessage;
      peer.send(JSON.stringify(message));
    };
    tell(sessions.ofApp(app.id));
    peer.onGone(onCurrentUser(bus, app.id, tell));
    // An emergency anywhere is shown on every screen; the one here has been told.
    onEmergency(peer, (at) => {
      if (at?.id !== app.id) tell(sessions.ofApp(app.id));
    });
  }

  function watch(peer: Peer): void {
    const tell = (): void => {
      const emergencies = viewEmergencies(sessions.list(), false);
      const serverTime = instant(clock.now());
      peer.send(
        JSON.stringify({ type: 'emergencies', serverTime, emergencies } satisfies EmergenciesMessage),
      );
    };
    tell();
    onEmergency(peer, tell);
  }

  /** Calls back when an emergency session opens or ends, with its app, as long as the peer is there. */
  function onEmergency(peer: Peer, listener: (at: Session['app']) => void): void {
    const hear = ({ session }: { session: Session }): void => {
      if (session.emergencyReason !== null) listener(session.app);
    };
    const stops = [bus.on('SessionOpened', hear), bus.on('SessionEnded', hear)];
    peer.onGone(() => stops.forEach((stop) => stop()));
  }

  /** A page that was away when its session ended hears why before it is closed. */
  async function sendAway(peer: Peer): Promise<void> {
    const secret = cookieOf(peer.request);
    const reason = secret === null ? null : await sessions.endingOf(secret).catch(() => null);
    if (reason !== null) peer.send(ownSession(null, reason));
    peer.close(CLOSE.notSignedIn, reason ?? 'sign in first');
  }

  /** What a message asks for; each topic is subscribed once. */
  function obey(peer: Peer, message: Message, topics: Set<string>): void {
    const isRepeated = message.type === 'subscribe' && topics.has(message.topic);
    if (isRepeated) return;
    if (message.type === 'subscribe') topics.add(message.topic);
    if (message.type === 'subscribe' && message.topic === 'app') {
      follow(peer, message.appId);
      return;
    }
    if (message.type === 'subscribe' && message.topic === 'emergencies') {
      watch(peer);
      return;
    }
    const session = sessionOfCookie(peer.request, sessions);
    if (session === null) void sendAway(peer);
    else if (message.type === 'subscribe') subscribe(peer, session);
    else {
      sessions.touch(session.id);
      peer.send(ownSession(session, null));
    }
  }

  return {
    recognises: (message) => read(message) !== null,
    start(peer, firstMessage) {
      const topics = new Set<string>();
      const receive = (text: string): void => {
        const message = read(text);
        if (message === null) peer.close(CLOSE.badMessage, 'send {"type":"subscribe","topic":"overview"}');
        else obey(peer, message, topics);
      };
      receive(firstMessage);
      return receive;
    },
  };
}

function read(text: string): Message | null {
  try {
    return messageSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
