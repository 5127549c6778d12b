/** What the soak counts and measures, and how it tells. */
import { median, percentile } from '../../bench/harness.ts';

export interface Tally {
  count(what: string, by?: number): void;
  /** One more figure of this kind, in milliseconds. */
  measure(what: string, ms: number): void;
  /** A promise of the product that did not hold. */
  complain(violation: string): void;
  readonly violations: readonly string[];
  report(): Report;
}

export interface Report {
  readonly counts: Readonly<Record<string, number>>;
  /** Milliseconds. */
  readonly times: Readonly<Record<string, Times>>;
}

export interface Times {
  readonly number: number;
  readonly median: number;
  readonly p99: number;
  readonly most: number;
}

const MOST_COMPLAINTS = 100;

export function createTally(): Tally {
  const counts = new Map<string, number>();
  const samples = new Map<string, number[]>();
  const violations: string[] = [];
  const sorted = <Value>(map: Map<string, Value>): [string, Value][] =>
    [...map].sort(([a], [b]) => a.localeCompare(b));
  return {
    count: (what, by = 1) => void counts.set(what, (counts.get(what) ?? 0) + by),
    measure(what, ms) {
      const all = samples.get(what) ?? [];
      samples.set(what, all);
      all.push(ms);
    },
    complain(violation) {
      if (violations.push(violation) > MOST_COMPLAINTS) violations.pop();
      else console.error(`soak: VIOLATION at ${new Date().toISOString()}: ${violation}`);
    },
    violations,
    report: () => ({
      counts: Object.fromEntries(sorted(counts)),
      times: Object.fromEntries(sorted(samples).map(([what, all]) => [what, timesOf(all)])),
    }),
  };
}

function timesOf(all: readonly number[]): Times {
  const round = (ms: number): number => Math.round(ms * 10) / 10;
  return {
    number: all.length,
    median: round(median(all)),
    p99: round(percentile(all, 99)),
    most: round(Math.max(...all)),
  };
}
