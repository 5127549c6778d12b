/** The answer times of a PLC in two figures. */

/** The median and the slowest in milliseconds; null where nothing was read. */
export function summaryOf(
  roundTripsMs: readonly (number | null)[],
): { median: number; slowest: number } | null {
  const sorted = roundTripsMs.filter((ms) => ms !== null).sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  const [upper, lower] = [sorted[half], sorted[sorted.length % 2 === 0 ? half - 1 : half]];
  if (upper === undefined || lower === undefined) return null;
  return { median: (lower + upper) / 2, slowest: sorted.at(-1) ?? upper };
}
