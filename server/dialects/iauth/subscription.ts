/** How a client of iAuth names the app that it wants to follow, over whichever transport. */

const SUBSCRIPTION = /^\s*\{?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}?(?::(\S+))?\s*$/i;

export interface Subscription {
  readonly appId: string;
  /** Shown to be told the token as well. */
  readonly key: string | null;
}

/** Reads a bare AppId, also in braces, or `AppId:key`; null: it is neither. */
export function readSubscription(text: string): Subscription | null {
  const [, appId, key = null] = SUBSCRIPTION.exec(text) ?? [];
  return appId === undefined ? null : { appId, key };
}
