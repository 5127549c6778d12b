/** The state bus: who is at the controls of each app, in revisions that only grow, for everyone who has to know at once. */
import type { Bus } from '../events.ts';
import type { Log } from '../ports/log.ts';
import type { Random } from '../ports/random.ts';
import type { Session } from './session.ts';

/** Who is at the controls of an app, as of one moment; never changed, only succeeded. */
export interface AppState {
  readonly appId: string;
  /** Counts the changes since the host started, from 0; within one run of the host a larger one is newer. */
  readonly revision: number;
  /** Null: nobody. */
  readonly session: Session | null;
}

export interface AppStates {
  /** Names this run of the host: revisions of another run say nothing here. */
  readonly run: string;
  /** The present state. */
  of(appId: string): AppState;
  /**
   * Calls back with the present state before it returns, then with each change, in their order, until the returned
   * function is called. From one user to the next there is one change: nobody was ever absent.
   */
  follow(appId: string, listener: (state: AppState) => void): () => void;
  close(): void;
}

export interface AppStatesNeeds {
  readonly bus: Bus;
  readonly sessions: { ofApp(appId: string): Session | null };
  readonly random: Random;
  readonly log: Log;
}

/** Counts from the events of the bus: one look-up a change, however many follow. */
export function createAppStates({ bus, sessions, random, log }: AppStatesNeeds): AppStates {
  const states = new Map<string, AppState>();
  const followers = new Map<string, Set<(state: AppState) => void>>();

  /** An app that nobody has asked for yet has not changed for anyone. */
  function present(appId: string): AppState {
    const known = states.get(appId);
    if (known !== undefined) return known;
    const first: AppState = { appId, revision: 0, session: sessions.ofApp(appId) };
    states.set(appId, first);
    return first;
  }

  function change(appId: string | undefined, session: Session | null): void {
    if (appId === undefined) return;
    const state: AppState = { appId, revision: (states.get(appId)?.revision ?? 0) + 1, session };
    states.set(appId, state);
    const set = followers.get(appId) ?? new Set();
    for (const listener of [...set]) {
      // A listener that brought about a newer state has told it to everyone already.
      if (states.get(appId) !== state) return;
      if (set.has(listener)) tell(listener, state);
    }
  }

  /** One that throws must not keep the others from knowing. */
  function tell(listener: (state: AppState) => void, state: AppState): void {
    try {
      listener(state);
    } catch (err) {
      log.error({ err, appId: state.appId }, 'a follower of an app failed');
    }
  }

  const stops = [
    bus.on('SessionOpened', ({ session }) => change(session.app?.id, session)),
    bus.on('SessionEnded', ({ session, successor }) => {
      // With a successor its own opening follows at once.
      if (successor === null) change(session.app?.id, null);
    }),
    bus.on('UserChanged', ({ user }) => {
      for (const { appId, session } of [...states.values()]) {
        const now = session?.user.id === user.id ? sessions.ofApp(appId) : null;
        // The session goes on under the user's new display name.
        if (now !== null && now !== session) change(appId, now);
      }
    }),
  ];

  return {
    run: random.uuid(),
    of: (appId) => present(appId.toLowerCase()),
    follow(appId, listener) {
      const id = appId.toLowerCase();
      const set = followers.get(id) ?? new Set();
      followers.set(id, set);
      // One listener may follow several times, and each is stopped on its own.
      const own = (state: AppState): void => listener(state);
      const stop = (): void => {
        set.delete(own);
        if (set.size === 0 && followers.get(id) === set) followers.delete(id);
      };
      set.add(own);
      try {
        own(present(id));
      } catch (error) {
        stop();
        throw error;
      }
      return stop;
    },
    close() {
      for (const stop of stops) stop();
      followers.clear();
    },
  };
}

/** Makes something of a state once for all who need it: a thousand subscribers are sent the same bytes. */
export function oncePerState<Made, State extends AppState = AppState>(
  make: (state: State) => Made,
): (state: State) => Made {
  const made = new WeakMap<State, { readonly value: Made }>();
  return (state) => {
    const known = made.get(state);
    if (known !== undefined) return known.value;
    const value = make(state);
    made.set(state, { value });
    return value;
  };
}
