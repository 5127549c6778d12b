/** What is said over `/ws` (docs/clients/websocket.md), in types; instants are UTC, ISO 8601. */

export interface AppState {
  readonly authenticated: boolean;
  readonly user: string | null;
  readonly displayName: string | null;
  /** What the app is told of the user, such as a level. */
  readonly role: string | null;
  readonly openedAt: string | null;
  readonly expiresAt: string | null;
}

export interface Session {
  readonly id: string;
  readonly kind: 'app' | 'browser' | 'bearer';
  readonly user: {
    readonly id: string;
    readonly name: string;
    readonly displayName: string;
    readonly type: 'Passive' | 'Active' | 'Admin';
  };
  readonly app: { readonly id: string; readonly name: string } | null;
  readonly role: string;
  readonly openedAt: string;
  /** The absolute limit. */
  readonly expiresAt: string;
  /** When the session ends without activity. */
  readonly idleExpiresAt: string | null;
}

export interface SessionListItem extends Session {
  /** The very session that asks. */
  readonly own: boolean;
  readonly door: string;
  /** Where the sign-in came from. */
  readonly address: string | null;
}

/** An emergency account that is signed in; who and why is told to those who are signed in. */
export interface Emergency {
  readonly since: string;
  readonly app: string | null;
  readonly user: string | null;
  readonly reason: string | null;
}

export interface LinkStatus {
  readonly id: string;
  readonly appId: string;
  readonly connection: string;
  readonly area: string;
  readonly address: string;
  readonly state: 'idle' | 'connecting' | 'online' | 'degraded' | 'backing-off';
  readonly since: string;
  /** As the PLC reports itself; null: it does not tell. */
  readonly plc: { readonly type: string; readonly name: string | null } | null;
  readonly value: number | null;
  readonly valueAt: string | null;
  /** Whom the value means at the app. */
  readonly user: string | null;
  readonly roundTripMs: number | null;
  /** The slowest read of each of the last 120 seconds, oldest first; null: none. */
  readonly roundTripsMs: readonly (number | null)[];
  readonly errorsLastHour: number;
  /** A value waits to be written. */
  readonly pending: boolean;
  readonly lastError: { readonly code: string; readonly message: string; readonly at: string } | null;
}

export interface AppOverview {
  readonly id: string;
  readonly name: string;
  readonly station: boolean;
  readonly state: AppState;
}

interface FromHost {
  readonly serverTime: string;
}

/** Which state of an app is told: `revision` grows with every change within one `run` of the host. */
export interface StateRevision {
  readonly appId: string;
  readonly run: string;
  readonly revision: number;
}

export interface AppMessage extends FromHost, StateRevision {
  readonly type: 'app';
  readonly state: AppState;
  /** The current user's token, for a subscriber that proved the app's key. */
  readonly token: string | null;
}

/** Nothing has changed since what the subscription named. */
export interface UnchangedMessage extends FromHost, StateRevision {
  readonly type: 'unchanged';
}

export interface OverviewMessage extends FromHost {
  readonly type: 'overview';
  readonly apps: readonly AppOverview[];
  readonly links: readonly Omit<LinkStatus, 'roundTripsMs'>[];
  readonly emergencies: readonly Emergency[];
}

export interface EmergenciesMessage extends FromHost {
  readonly type: 'emergencies';
  readonly emergencies: readonly Emergency[];
}

/** The user's own live sessions. */
export interface SessionsMessage extends FromHost {
  readonly type: 'sessions';
  readonly sessions: readonly SessionListItem[];
}

export interface PlcMessage extends FromHost {
  readonly type: 'plc';
  readonly links: readonly LinkStatus[];
}

/** The session that the connection stands on: renewed, or ended with the reason. */
export interface SessionMessage extends FromHost {
  readonly type: 'session';
  readonly session: Session | null;
  readonly reason: string | null;
}

export interface PongMessage extends FromHost {
  readonly type: 'pong';
  readonly id: string | null;
}

/** The topics that are no app, and what each brings. */
export interface WatchMessages {
  readonly overview: OverviewMessage | SessionMessage;
  readonly sessions: SessionsMessage | SessionMessage;
  readonly plc: PlcMessage | SessionMessage;
  readonly emergencies: EmergenciesMessage;
}

export type ServerMessage =
  | AppMessage
  | UnchangedMessage
  | OverviewMessage
  | EmergenciesMessage
  | SessionsMessage
  | PlcMessage
  | SessionMessage
  | PongMessage;

/** What can be asked for: an app's state, with the app's key its token as well, or another topic. */
export type Topic =
  | { readonly topic: 'app'; readonly appId: string; readonly key?: string }
  | { readonly topic: keyof WatchMessages };

export type ClientMessage =
  | ({
      readonly type: 'subscribe';
      readonly since?: { readonly run: string; readonly revision: number };
    } & Topic)
  | { readonly type: 'unsubscribe'; readonly topic: Topic['topic']; readonly appId?: string }
  | { readonly type: 'activity' }
  | { readonly type: 'ping'; readonly id?: string };

/** Reads one message; null for what is none, or none that this client could know. */
export function readMessage(data: unknown): ServerMessage | null {
  try {
    const message = JSON.parse(data as string) as ServerMessage | null;
    return typeof message?.type === 'string' ? message : null;
  } catch {
    return null;
  }
}
