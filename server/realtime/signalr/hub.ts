/** What a hub is to the protocol, and the protocol to a hub. */
import type { Payload } from '../outbox.ts';
import type { HubProtocol } from './messages.ts';

/** What a client shows of itself when it negotiates and connects. */
export interface Presented {
  /** The access token, from the `Authorization` header or the query. */
  readonly accessToken: string | null;
  /** From the `X-App-Key` header. */
  readonly appKey: string | null;
}

/** One client, as its hub sees it. */
export interface HubClient {
  readonly protocol: HubProtocol;
  /** The key that it has shown; whose it is is for the hub to find out. */
  readonly key: string | null;
  /** Sends what `make` makes; while the client is behind, the newest of a subject alone. */
  post(subject: string, make: () => Payload): void;
  /** Closes over a defect of the host. */
  fail(): void;
}

/** What a hub keeps of a client. */
export interface HubSession {
  /** Calls a method; a `KeyswitchError` is told to the client in its own words, anything else is a defect. */
  invoke(target: string, args: readonly unknown[]): void;
  /** The client is gone for good. */
  gone(): void;
}

export interface Hub {
  /** Resolves with the key among what is presented, or null; rejects with `not-signed-in` where it is no good. */
  admit(presented: Presented): Promise<string | null>;
  connected(client: HubClient): HubSession;
}
