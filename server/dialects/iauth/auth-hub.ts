/** iAuth's SignalR hub: `Subscribe(appId)`, `Unsubscribe()`, and `UserChanged(auth)` at once and on every change. */
import type { Apps } from '../../apps/apps.ts';
import { invalidInput, KeyswitchError } from '../../errors.ts';
import type { Log } from '../../ports/log.ts';
import type { Payload } from '../../realtime/outbox.ts';
import type { Hub, HubClient, HubSession } from '../../realtime/signalr/hub.ts';
import { TYPE, type HubProtocol } from '../../realtime/signalr/messages.ts';
import { oncePerState } from '../../sessions/app-states.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import type { ToldState, ToldStates } from '../../sessions/told-states.ts';
import { toAuthentication } from './authentication.ts';
import { readSubscription } from './subscription.ts';

export interface AuthHubNeeds {
  readonly apps: Apps;
  readonly sessions: Pick<Sessions, 'byAccessToken'>;
  readonly toldStates: ToldStates;
  readonly log: Log;
}

/** Where iAuth's clients look for it. */
export const AUTH_HUB_PATHS: readonly string[] = ['/authHub', '/signalr/authHub'];

/** An app's key is 256 bits in base64url; an access token has dots. */
const KEY_FORM = /^[\w-]{43}$/;

const USER_CHANGED = 'UserChanged';

export function createAuthHub({ apps, sessions, toldStates, log }: AuthHubNeeds): Hub {
  const messages = oncePerState((_state: ToldState) => new Map<HubProtocol, Payload>());

  /** Made once for all clients of a protocol that may know the same. */
  function messageOf(state: ToldState, protocol: HubProtocol): Payload {
    const known = messages(state).get(protocol);
    if (known !== undefined) return known;
    const made = userChanged(state, protocol);
    messages(state).set(protocol, made);
    return made;
  }

  /** The app to follow, and whether its key was proved. */
  function subscriptionOf(client: HubClient, args: readonly unknown[]): { appId: string; isProven: boolean } {
    const [argument] = args;
    const wanted = typeof argument === 'string' && args.length === 1 ? readSubscription(argument) : null;
    if (wanted === null) throw invalidInput('appId', 'call Subscribe with one argument, the GUID of the app');
    const { appId } = wanted;
    if (apps.byId(appId) === null) {
      throw new KeyswitchError('not-found', 'No app has this AppId. Take it from the list of apps.');
    }
    const key = wanted.key ?? client.key;
    if (key !== null && !apps.keyMatches(appId, key)) {
      throw new KeyswitchError('forbidden', "That is not this app's key. Show the right one, or none.");
    }
    return { appId, isProven: key !== null };
  }

  /** A client follows one app: another one takes the place of the one before. */
  function connected(client: HubClient): HubSession {
    let unfollow = (): void => {};
    let latest: ToldState | null = null;
    const make = (): Payload => (latest === null ? '' : messageOf(latest, client.protocol));

    function subscribe(args: readonly unknown[]): void {
      const subscription = subscriptionOf(client, args);
      unfollow();
      unfollow = toldStates.follow({
        ...subscription,
        tell(state) {
          latest = state;
          client.post(USER_CHANGED, make);
        },
        fail(err) {
          log.error({ err }, 'a token could not be made for a SignalR client');
          client.fail();
        },
      });
    }

    return {
      invoke(target, args) {
        const method = target.toLowerCase();
        if (method === 'subscribe') subscribe(args);
        else if (method === 'unsubscribe') unfollow();
        else throw new KeyswitchError('not-found', 'This hub has the methods Subscribe and Unsubscribe.');
      },
      gone: () => unfollow(),
    };
  }

  return {
    async admit({ accessToken, appKey }) {
      if (accessToken === null) return appKey;
      if (KEY_FORM.test(accessToken)) return appKey ?? accessToken;
      await sessions.byAccessToken(accessToken);
      return appKey;
    },
    connected,
  };
}

function userChanged({ session, token }: ToldState, protocol: HubProtocol): Payload {
  const authentication = toAuthentication(session, token);
  // MessagePack has a type of its own for times, which .NET clients insist on; JSON has text.
  const inForm =
    protocol.isBinary && authentication.Authenticated
      ? { ...authentication, TokenExpires: new Date(authentication.TokenExpires) }
      : authentication;
  return protocol.encode({ type: TYPE.invocation, target: USER_CHANGED, arguments: [inForm] });
}
