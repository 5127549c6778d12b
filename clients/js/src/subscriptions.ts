/** The topics that are followed over one connection: asked for after each connect, and let go of one by one. */
import { CLOSE, isRefusal } from './close-codes.ts';
import { createConnection, type ConnectionNeeds } from './connection.ts';
import type { HostTime } from './host-time.ts';
import type { ClientMessage, ServerMessage, Topic } from './messages.ts';
import { createNewest, type Newest } from './newest.ts';

/** How good the news of a topic is. */
export type ConnectionStatus =
  /** The host has not answered yet. */
  | { readonly state: 'connecting' }
  | { readonly state: 'live' }
  /** What was told last may be old; `since` is host time in milliseconds since the epoch. */
  | { readonly state: 'lost'; readonly since: number }
  /** The host does not serve this topic to this client; `code` as in `CLOSE`. Another sign-in may change that. */
  | { readonly state: 'refused'; readonly code: number; readonly reason: string };

export interface SubscriptionListener {
  /** The status of the topic or the message that has come, or both at once. */
  told(status: ConnectionStatus, message: ServerMessage | null): void;
  /** The host gave a sign of life. */
  alive?(): void;
}

export interface Subscriptions {
  /** Follows a topic until the returned function is called; what is known of it already is told at once. */
  subscribe(topic: Topic, listener: SubscriptionListener): () => void;
  /** Tells the host of activity; tells whether there was a connection to do so. */
  noteActivity(): boolean;
  /** Connects anew, and asks again for what was refused for want of a session: the host looks when a connection is made. */
  identityChanged(): void;
  close(): void;
}

interface Entry {
  readonly topic: Topic;
  readonly newest: Newest;
  readonly listeners: Set<SubscriptionListener>;
  status: ConnectionStatus;
  latest: ServerMessage | null;
  /** Where it is on the present connection; refused: on any. */
  phase: 'waiting' | 'asked' | 'answered' | 'refused';
}

const CONNECTING: ConnectionStatus = { state: 'connecting' };
const LIVE: ConnectionStatus = { state: 'live' };

export function createSubscriptions(needs: ConnectionNeeds & { readonly hostTime: HostTime }): Subscriptions {
  const { hostTime } = needs;
  const entries = new Map<string, Entry>();
  const connection = createConnection(needs, { opened: begin, heard: hear, lost: lose });
  /** The host closes the whole connection over one topic: after that they are asked for one at a time. */
  let isCareful = false;

  function served(): Entry[] {
    return [...entries.values()].filter(({ phase }) => phase !== 'refused');
  }

  function begin(): void {
    for (const entry of served()) {
      entry.phase = 'waiting';
      entry.newest.connected();
    }
    ask();
  }

  function ask(): void {
    for (const entry of entries.values()) {
      if (entry.phase !== 'waiting') continue;
      if (isCareful && asked().length > 0) return;
      if (connection.send(requestOf(entry))) entry.phase = 'asked';
    }
  }

  function asked(): Entry[] {
    return [...entries.values()].filter(({ phase }) => phase === 'asked');
  }

  function hear(message: ServerMessage | null): void {
    if (message !== null) hostTime.set(message.serverTime);
    for (const { listeners } of served()) for (const listener of listeners) listener.alive?.();
    if (message?.type === 'session') {
      for (const entry of served()) if (needsSession(entry.topic)) tell(entry, entry.status, message);
    } else if (message !== null) answer(entries.get(keyOf(message)), message);
  }

  function answer(entry: Entry | undefined, message: ServerMessage): void {
    if (entry === undefined || entry.phase === 'refused') return;
    entry.phase = 'answered';
    const isOfApp = message.type === 'app' || message.type === 'unchanged';
    const isNews = !isOfApp || entry.newest.takes(message);
    if (isNews) entry.latest = message;
    tell(entry, LIVE, isNews ? message : null);
    ask();
    if (asked().length === 0) isCareful = false;
  }

  function lose(code: number, reason: string): void {
    if (isRefusal(code)) {
      const refused = refusedWith(code);
      isCareful = true;
      if (refused !== null) {
        refuse(refused, { state: 'refused', code, reason });
        return;
      }
    }
    for (const entry of served()) {
      entry.phase = 'waiting';
      const since = entry.status.state === 'lost' ? entry.status.since : hostTime.read();
      tell(entry, { state: 'lost', since }, null);
    }
  }

  /** The topic that the host can have meant, if it is only one. */
  function refusedWith(code: number): Entry | null {
    const suspects = (isCareful ? asked() : served()).filter(({ topic }) => canBeRefused(topic, code));
    return suspects.length === 1 ? suspects[0]! : null;
  }

  function refuse(entry: Entry, status: ConnectionStatus): void {
    entry.phase = 'refused';
    if (served().length === 0) connection.close();
    else connection.reopen();
    tell(entry, status, null);
  }

  function revive(entry: Entry): void {
    if (entry.phase !== 'refused') return;
    entry.phase = 'waiting';
    tell(entry, CONNECTING, null);
  }

  function tell(entry: Entry, status: ConnectionStatus, message: ServerMessage | null): void {
    const isSame = status.state === entry.status.state;
    if (!isSame) entry.status = status;
    if (isSame && message === null) return;
    for (const listener of entry.listeners) listener.told(entry.status, message);
  }

  function entryOf(topic: Topic): Entry {
    const known = entries.get(keyOf(topic));
    if (known !== undefined) return known;
    const entry: Entry = {
      topic,
      newest: createNewest(),
      listeners: new Set(),
      status: CONNECTING,
      latest: null,
      phase: 'waiting',
    };
    entries.set(keyOf(topic), entry);
    return entry;
  }

  function leave(entry: Entry, listener: SubscriptionListener): void {
    if (!entry.listeners.delete(listener) || entry.listeners.size > 0) return;
    entries.delete(keyOf(entry.topic));
    if (served().length === 0) connection.close();
    else if (entry.phase === 'asked' || entry.phase === 'answered') connection.send(endOf(entry));
    ask();
  }

  return {
    subscribe(topic, listener) {
      const entry = entryOf(topic);
      revive(entry);
      entry.listeners.add(listener);
      listener.told(entry.status, entry.latest);
      connection.open();
      ask();
      return () => leave(entry, listener);
    },
    noteActivity: () => connection.send({ type: 'activity' }),
    identityChanged() {
      for (const entry of entries.values()) if (needsSession(entry.topic)) revive(entry);
      connection.reopen();
      if (served().length > 0) connection.open();
    },
    close() {
      entries.clear();
      connection.close();
    },
  };
}

function requestOf({ topic, newest }: Entry): ClientMessage {
  const since = newest.since();
  return { type: 'subscribe', ...topic, ...(since !== null && { since }) };
}

function endOf({ topic }: Entry): ClientMessage {
  return { type: 'unsubscribe', topic: topic.topic, ...(topic.topic === 'app' && { appId: topic.appId }) };
}

function needsSession({ topic }: Topic): boolean {
  return topic === 'overview' || topic === 'sessions' || topic === 'plc';
}

function canBeRefused(topic: Topic, code: number): boolean {
  if (code === CLOSE.unknownApp) return topic.topic === 'app';
  const hasKey = topic.topic === 'app' && topic.key !== undefined;
  return code === CLOSE.badMessage || hasKey || needsSession(topic);
}

/** One name for a topic and for what is told of it. */
function keyOf(of: Topic | ServerMessage): string {
  return 'appId' in of ? `app ${of.appId.toLowerCase()}` : 'topic' in of ? of.topic : of.type;
}
