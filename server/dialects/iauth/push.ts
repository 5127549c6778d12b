/** iAuth's push over `/ws`: the client sends its AppId, and gets an Authentication at once and on every change. */
import type { Apps } from '../../apps/apps.ts';
import type { Bus } from '../../events.ts';
import { onCurrentUser } from '../../sessions/current-user.ts';
import { CLOSE, type Peer, type Protocol } from '../../realtime/ws/door.ts';
import type { Session } from '../../sessions/session.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import { toAuthentication } from './authentication.ts';

/** A bare AppId; or `AppId:key`, which proves the app's key and so is told the token. */
const SUBSCRIPTION = /^\s*\{?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}?(?::(\S+))?\s*$/i;

export interface PushNeeds {
  readonly apps: Apps;
  readonly sessions: Sessions;
  readonly bus: Bus;
}

export function iauthPush({ apps, sessions, bus }: PushNeeds): Protocol {
  return {
    recognises: (message) => SUBSCRIPTION.test(message),
    start(peer, firstMessage) {
      let unsubscribe = (): void => {};
      const receive = (message: string): void => {
        const [, appId, key] = SUBSCRIPTION.exec(message) ?? [];
        if (appId === undefined) {
          peer.close(CLOSE.badMessage, 'send an AppId');
          return;
        }
        const app = apps.byId(appId);
        if (app === null) {
          peer.close(CLOSE.unknownApp, 'no app has this AppId');
          return;
        }
        if (key !== undefined && !apps.keyMatches(app.id, key)) {
          peer.close(CLOSE.notSignedIn, "that is not this app's key");
          return;
        }
        unsubscribe();
        unsubscribe = subscribe(peer, app.id, key !== undefined);
      };
      peer.onGone(() => unsubscribe());
      receive(firstMessage);
      return receive;
    },
  };

  function subscribe(peer: Peer, appId: string, mayHaveToken: boolean): () => void {
    // Signing takes a moment: a state that was overtaken meanwhile must not be sent after the newer one.
    let newest = 0;
    function tell(session: Session | null): void {
      newest += 1;
      if (session === null || !mayHaveToken) {
        peer.send(JSON.stringify(toAuthentication(session, null)));
        return;
      }
      const mine = newest;
      sessions
        .tokenOf(session)
        .then((token) => {
          if (mine === newest) peer.send(JSON.stringify(toAuthentication(session, token)));
        })
        .catch(() => peer.close(CLOSE.internal, 'the token could not be made'));
    }
    tell(sessions.ofApp(appId));
    const stop = onCurrentUser(bus, appId, tell);
    return () => {
      // What is still being signed is of an app that the client has left.
      newest += 1;
      stop();
    };
  }
}
