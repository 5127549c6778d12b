/** One app as a listener sees it: who is at its controls, and how good that news is. */
import type { AppState } from './messages.ts';
import type { ConnectionStatus, Subscriptions } from './subscriptions.ts';

export interface FollowedApp {
  readonly appId: string;
  readonly connection: ConnectionStatus;
  /** The newest state that the host has told; null until then. */
  readonly state: AppState | null;
  /** The run of the host and the number of the state within it; null until then. */
  readonly run: string | null;
  readonly revision: number | null;
  /** The current user's token, where the app's key was given. */
  readonly token: string | null;
}

/** Calls back with the whole at once, and after every change; ends when the returned function is called. */
export function followApp(
  subscriptions: Subscriptions,
  { appId, key }: { readonly appId: string; readonly key?: string | undefined },
  listener: (app: FollowedApp) => void,
): () => void {
  let app: FollowedApp | null = null;
  return subscriptions.subscribe(
    { topic: 'app', appId, ...(key !== undefined && { key }) },
    {
      told(connection, message) {
        const before = app ?? { appId, state: null, run: null, revision: null, token: null };
        app = { ...before, connection };
        if (message?.type === 'app') {
          const { state, run, revision, token } = message;
          app = { ...app, state, run, revision, token };
        }
        listener(app);
      },
    },
  );
}
