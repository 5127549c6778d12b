/** iAuth's push over `/ws`: the client sends its AppId, and gets an Authentication at once and on every change. */
import type { Apps } from '../../apps/apps.ts';
import { CLOSE } from '../../realtime/close-codes.ts';
import type { Conversation, Peer, Protocol } from '../../realtime/ws/protocols.ts';
import { oncePerState } from '../../sessions/app-states.ts';
import type { ToldState, ToldStates } from '../../sessions/told-states.ts';
import { toAuthentication } from './authentication.ts';
import { readSubscription, type Subscription } from './subscription.ts';

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

    function subscribe({ appId, key }: Subscription): void {
      unsubscribe();
      unsubscribe = toldStates.follow({
        appId,
        isProven: key !== null,
        tell(state) {
          latest = state;
          peer.outbox.post('authentication', make);
        },
        fail: peer.fail,
      });
    }

    return {
      hear(message) {
        const wanted = readSubscription(message);
        if (wanted === null) peer.close(CLOSE.badMessage, 'send an AppId');
        else if (apps.byId(wanted.appId) === null) peer.close(CLOSE.unknownApp, 'no app has this AppId');
        else if (wanted.key !== null && !apps.keyMatches(wanted.appId, wanted.key))
          peer.close(CLOSE.notSignedIn, "that is not this app's key");
        else subscribe(wanted);
      },
      end: () => unsubscribe(),
    };
  }

  return { recognises: (message) => readSubscription(message) !== null, start };
}
