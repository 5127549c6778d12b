/** The codes that our WebSocket doors close with. */

/** The first two are of RFC 6455 section 7.4.1; the others are ours, for 4000 to 4999 are private (7.4.2). */
export const CLOSE = {
  goingAway: 1001,
  internal: 1011,
  badMessage: 4400,
  notSignedIn: 4401,
  unknownApp: 4404,
  tooSlow: 4408,
  tooMany: 4429,
} as const;
