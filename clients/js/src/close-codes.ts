/** What the host closes a connection with, and which of it is final. */

export const CLOSE = {
  /** The host goes on after a restart. */
  goingAway: 1001,
  /** The network closed, not the host (RFC 6455, 7.4.1). */
  broken: 1006,
  /** What was asked is not in the protocol of this host. */
  badMessage: 4400,
  /** The topic needs a session, or the app's key is wrong. */
  notSignedIn: 4401,
  unknownApp: 4404,
  /** This client read too slowly. */
  tooSlow: 4408,
  /** Too many subscriptions or messages. */
  tooMany: 4429,
} as const;

const REFUSALS: readonly number[] = [CLOSE.badMessage, CLOSE.notSignedIn, CLOSE.unknownApp];

/** Tells whether asking for the same again would be closed with the same again. */
export function isRefusal(code: number): boolean {
  return REFUSALS.includes(code);
}
