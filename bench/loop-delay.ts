/** Watches the event loop of the process into which it is preloaded; at SIGUSR2 it writes what it saw to `BENCH_LOOP_DELAY`, and begins anew. */
import { renameSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** In milliseconds; the resolution of 1 ms is in each. */
export interface LoopDelay {
  readonly p99Ms: number;
  readonly maxMs: number;
}

const file = process.env['BENCH_LOOP_DELAY'];
const histogram = monitorEventLoopDelay({ resolution: 1 });
histogram.enable();
process.on('SIGUSR2', () => {
  const seen: LoopDelay = { p99Ms: histogram.percentile(99) / 1e6, maxMs: histogram.max / 1e6 };
  histogram.reset();
  if (file === undefined) return;
  writeFileSync(`${file}.new`, JSON.stringify(seen));
  renameSync(`${file}.new`, file);
});
