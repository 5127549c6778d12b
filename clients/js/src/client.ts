/** A client of one host: who is at the controls of its apps, as it happens, and signing in and out. */
import { followApp, type FollowedApp } from './followed-app.ts';
import { createHostTime } from './host-time.ts';
import { createHttp } from './http.ts';
import { createIdentity, type Authentication } from './identity.ts';
import type { Session, WatchMessages } from './messages.ts';
import { systemClock, type Clock, type Socket, type SocketClass } from './ports.ts';
import { KeyswitchProblem } from './problem.ts';
import { createSubscriptions, type ConnectionStatus } from './subscriptions.ts';

export interface ClientOptions {
  /** Where the host is: `https://keyswitch.example:8443`. */
  readonly url: string;
  /** The machine's own by default; that of `ws`, say, for a private CA without NODE_EXTRA_CA_CERTS. */
  readonly WebSocket?: SocketClass;
  readonly fetch?: typeof globalThis.fetch;
  readonly clock?: Clock;
  /** From 0 to 1; spreads the reconnects of many clients. */
  readonly random?: () => number;
}

export interface SignInInput {
  readonly username: string;
  readonly password: string;
  /** The app to become the current user of; Keyswitch itself where it is left out. */
  readonly appId?: string;
}

/** What a listener of `watch` is told: the latest message, and how good that news is. */
export interface News<Message> {
  readonly connection: ConnectionStatus;
  /** Null until the host has told. */
  readonly message: Message | null;
}

/** Every call to the host throws a `KeyswitchProblem` and nothing else. */
export interface Client {
  /**
   * Follows who is at the controls of an app until the returned function is called. The listener is called at once
   * and after every change, and never with an older state after a newer one. All that is followed shares one
   * connection. `key` is the app's: with it the current user's token is told too.
   */
  follow(
    appId: string,
    listener: (app: FollowedApp) => void,
    options?: { readonly key?: string },
  ): () => void;
  /** Follows another topic over the same connection; all but `emergencies` need to be signed in. */
  watch<Name extends keyof WatchMessages>(
    topic: Name,
    listener: (news: News<WatchMessages[Name]>) => void,
  ): () => void;
  /** Starts the idle limit of one's own session anew; tells whether there was a connection to do so. */
  noteActivity(): boolean;
  /** Signs in; `password-change-required` comes with a `ticket` for `changePassword`. */
  signIn(input: SignInInput): Promise<Session>;
  /** Replaces a password that a sign-in asked to be replaced, and finishes that sign-in. */
  changePassword(input: { readonly ticket: string; readonly newPassword: string }): Promise<Session>;
  /** One's own session; null: signed in as nobody, or no more. */
  session(): Promise<Session | null>;
  /** Ends one's own session. */
  signOut(): Promise<void>;
  /** Ends whatever session is current at the app: whoever knows its id may. */
  signOutApp(appId: string): Promise<void>;
  /** One's own access token, renewed where needed, for calls to other services; null: signed in as nobody. */
  accessToken(): Promise<string | null>;
  /** The host's time in milliseconds since the epoch: what an `expiresAt` is measured by. */
  now(): number;
  /** Ends all that is followed. The session on the host stays. */
  close(): void;
}

export function createClient(options: ClientOptions): Client {
  const { origin, host } = new URL(options.url);
  const { clock = systemClock(), random = Math.random } = options;
  const fetch =
    options.fetch ?? ((...call: Parameters<typeof globalThis.fetch>) => globalThis.fetch(...call));
  const hostTime = createHostTime(clock);
  const http = createHttp(origin, fetch);
  const identity = createIdentity(http, hostTime);
  const subscriptions = createSubscriptions({ openSocket, clock, random, hostTime });

  function openSocket(): Socket | Promise<Socket> {
    const WebSocket = options.WebSocket ?? (globalThis.WebSocket as SocketClass);
    const url = `${origin.startsWith('https:') ? 'wss' : 'ws'}://${host}/ws`;
    if (isBrowser() || !identity.isSignedIn) return new WebSocket(url);
    return identity
      .accessToken()
      .then((token) =>
        token === null
          ? new WebSocket(url)
          : new WebSocket(url, { headers: { Authorization: `Bearer ${token}` } }),
      );
  }

  async function authenticate(path: string, body: object): Promise<Session> {
    const authentication = await http<Authentication>({ method: 'POST', path, body });
    become(authentication);
    return authentication.session;
  }

  function become(authentication: Authentication | null): void {
    identity.set(authentication);
    if (!isBrowser()) subscriptions.identityChanged();
  }

  async function ofOwnSession<Answer>(method: 'GET' | 'POST', path: string): Promise<Answer | null> {
    const token = await identity.accessToken();
    if (token === null) return null;
    try {
      return await http<Answer>({ method, path, token });
    } catch (error) {
      if (error instanceof KeyswitchProblem && error.code === 'not-signed-in') return null;
      throw error;
    }
  }

  return {
    follow: (appId, listener, { key } = {}) => followApp(subscriptions, { appId, key }, listener),
    watch<Name extends keyof WatchMessages>(
      topic: Name,
      listener: (news: News<WatchMessages[Name]>) => void,
    ) {
      let latest: WatchMessages[Name] | null = null;
      return subscriptions.subscribe(
        { topic },
        {
          told(connection, message) {
            latest = (message as WatchMessages[Name] | null) ?? latest;
            listener({ connection, message: latest });
          },
        },
      );
    },
    noteActivity: subscriptions.noteActivity,
    signIn: (input) => authenticate('/api/v1/sign-in', { ...input, presentation: 'bearer' }),
    changePassword: (input) => authenticate('/api/v1/password-change', input),
    async session() {
      const answer = await ofOwnSession<{ session: Session }>('GET', '/api/v1/session');
      if (answer === null && identity.isSignedIn) become(null);
      return answer?.session ?? null;
    },
    async signOut() {
      await ofOwnSession('POST', '/api/v1/sign-out');
      become(null);
    },
    async signOutApp(appId) {
      await http({ method: 'POST', path: `/api/v1/apps/${encodeURIComponent(appId)}/sign-out` });
    },
    accessToken: identity.accessToken,
    now: hostTime.read,
    close: subscriptions.close,
  };
}

/** There a page can set no headers of a WebSocket: what it is told as a session goes by the cookie alone. */
function isBrowser(): boolean {
  return 'document' in globalThis || 'WorkerGlobalScope' in globalThis;
}
