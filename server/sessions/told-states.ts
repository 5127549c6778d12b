/** What subscribers are told of an app: its state, and with it the token for those who have proved the app's key. */
import { oncePerState, type AppState, type AppStates } from './app-states.ts';
import type { Session } from './session.ts';

export interface ToldState extends AppState {
  /** Null where nobody is signed in, and for those who have not proved the app's key. */
  readonly token: string | null;
}

export interface Follower {
  readonly appId: string;
  /** Whether it has proved the app's key. */
  readonly isProven: boolean;
  /** Called with the present state and with each change, in their order; the same object for all who may know the same. */
  tell(state: ToldState): void;
  /** The token could not be made. */
  fail(error: unknown): void;
}

export interface ToldStates {
  /** Tells until the returned function is called. */
  follow(follower: Follower): () => void;
}

export interface ToldStatesNeeds {
  readonly appStates: AppStates;
  readonly sessions: { tokenOf(session: Session): Promise<string> };
}

export function createToldStates({ appStates, sessions }: ToldStatesNeeds): ToldStates {
  const withoutToken = oncePerState((state): ToldState => ({ ...state, token: null }));
  const withToken = oncePerState(async (state): Promise<ToldState> => {
    const { session } = state;
    return session === null ? withoutToken(state) : { ...state, token: await sessions.tokenOf(session) };
  });

  /** Signing takes a moment: a state that was overtaken meanwhile must not be told after the newer one. */
  function followProven({ appId, tell, fail }: Follower): () => void {
    let latest: AppState | null = null;
    const stop = appStates.follow(appId, (state) => {
      latest = state;
      if (state.session === null) {
        tell(withoutToken(state));
        return;
      }
      withToken(state)
        .then((told) => {
          if (latest === state) tell(told);
        })
        .catch((error: unknown) => {
          if (latest === state) fail(error);
        });
    });
    return () => {
      // What is still being signed is of an app that the subscriber has left.
      latest = null;
      stop();
    };
  }

  return {
    follow(follower) {
      if (follower.isProven) return followProven(follower);
      return appStates.follow(follower.appId, (state) => follower.tell(withoutToken(state)));
    },
  };
}
