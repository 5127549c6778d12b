/** How long to wait before another attempt: ever longer, and never all clients at once. */

const FIRST_MS = 500;
const LONGEST_MS = 10_000;

/**
 * The wait before attempt number `attempt` (0 is the first repetition), between 250 ms and 10 s: the upper half of
 * what doubles with each attempt, where `random` (0 to 1) says how far up.
 */
export function backOffMs(attempt: number, random: () => number): number {
  const wholeMs = Math.min(FIRST_MS * 2 ** attempt, LONGEST_MS);
  return (wholeMs / 2) * (1 + random());
}
