/** The topic `app`: who is at the controls of one app, in revisions; subscribers that have a revision are told what is newer. */
import type { AppStateMessage, UnchangedMessage } from '../../http/contract.ts';
import { instant, viewAppState } from '../../http/views.ts';
import type { Clock } from '../../ports/clock.ts';
import { oncePerState, type AppState } from '../../sessions/app-states.ts';
import type { ToldState, ToldStates } from '../../sessions/told-states.ts';
import { fresh } from '../fresh.ts';
import type { Peer } from './protocols.ts';

export interface AppSubscription {
  readonly appId: string;
  /** The client has proved the app's key. */
  readonly isProven: boolean;
  /** What the client has already, the token included. */
  readonly since: { readonly run: string; readonly revision: number } | undefined;
}

export interface AppTopic {
  /** Tells at once and after each change, until the returned function is called. */
  join(peer: Peer, subscription: AppSubscription): () => void;
}

export interface AppTopicNeeds {
  readonly toldStates: ToldStates;
  /** Names this run of the host. */
  readonly run: string;
  readonly clock: Clock;
}

export function createAppTopic({ toldStates, run, clock }: AppTopicNeeds): AppTopic {
  function render({ appId, revision, session, token }: ToldState): string {
    const serverTime = instant(clock.now());
    const state = viewAppState(session);
    const message = { type: 'app', serverTime, appId, run, revision, state, token } satisfies AppStateMessage;
    return JSON.stringify(message);
  }

  function renderUnchanged({ appId, revision }: AppState): string {
    const serverTime = instant(clock.now());
    return JSON.stringify({ type: 'unchanged', serverTime, appId, run, revision } satisfies UnchangedMessage);
  }

  const text = oncePerState((state: ToldState) => fresh(clock, () => render(state)));

  return {
    join(peer, { appId, isProven, since }) {
      const key = `app ${appId}`;
      let latest: ToldState | null = null;
      // One for all changes: of a broadcast to a thousand nothing is left to be collected.
      const make = (): string => (latest === null ? '' : text(latest)());

      function tell(state: ToldState): void {
        const isKnown = latest === null && since?.run === run && since.revision === state.revision;
        latest = state;
        peer.outbox.post(key, isKnown ? () => renderUnchanged(state) : make);
      }
      return toldStates.follow({
        appId,
        isProven,
        tell,
        fail: peer.fail,
      });
    },
  };
}
