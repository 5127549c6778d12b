/** iAuth's push over `/ws`: the client sends its AppId, and gets an Authentication at once and on every change. */
import type { Apps } from '../../apps/apps.ts';
import { CLOSE } from '../../realtime/close-codes.ts';
import type { Conversation, Peer, Protocol } from '../../realtime/ws/protocols.ts';
import { oncePerState } from '../../sessions/app-states.ts';
import type { ToldState, ToldStates } from '../../sessions/told-states.ts';
import { toAuthentication } from './authentication.ts';

/** A bare AppId; or `AppId:key`, which proves the app's key and so is told the token. */
const SUBSCRIPTION = /^\s*\{?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}?(?::(\S+))?\s*$/i;

export interface PushNeeds {
  readonly apps: Apps;
  readonly toldStates: ToldStates;
}

export function iauthPush({ apps, toldStates }: PushNeeds): Protocol {
  const text = oncePerState(({ session, token }: ToldState) =>
    JSON.stringify(toAuthentication(session, token)),
  );

  /** A client follows one app: another AppId takes the place of the one before. */
  function start(peer: Peer): Conversation {
    let unsubscribe = (): void => {};
    let latest: ToldState | null = null;
    const make = (): string => (latest === null ? '' : text(latest));

    function subscribe(appId: string, key: string | undefined): void {
      unsubscribe();
      unsubscribe = toldStates.follow({
        appId,
        isProven: key !== undefined,
        tell(state) {
          latest = state;
          peer.outbox.post('authentication', make);
        },
        fail: peer.fail,
      });
    }

    return {
      hear(message) {
        const [, appId, key] = SUBSCRIPTION.exec(message) ?? [];
        if (appId === undefined) peer.close(CLOSE.badMessage, 'send an AppId');
        else if (apps.byId(appId) === null) peer.close(CLOSE.unknownApp, 'no app has this AppId');
        else if (key !== undefined && !apps.keyMatches(appId, key))
          peer.close(CLOSE.notSignedIn, "that is not this app's key");
        else subscribe(appId, key);
      },
      end: () => unsubscribe(),
    };
  }

  return { recognises: (message) => SUBSCRIPTION.test(message), start };
}
