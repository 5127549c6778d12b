/** What the soak measures by the way: the host's memory and answers, and how busy it all keeps the machine. */
import { readFileSync } from 'node:fs';
import { median, processorSeconds } from '../../bench/harness.ts';
import type { Site } from './site.ts';
import type { Tally } from './tally.ts';

export interface Meters {
  /** All is quiet: the memory counts now. */
  quiet(): void;
  residentMib(): number;
  /** How many cores the host, the PLCs and the soak itself have kept busy on average. */
  cores(): number;
  stop(): Measured;
}

export interface Measured {
  readonly cores: number;
  /** Of the process that lived longest, at quiet points. */
  readonly memory: {
    readonly minutes: number;
    readonly firstMib: number;
    readonly lastMib: number;
    readonly mostMib: number;
  };
}

const PROBE_EVERY_MS = 250;
const PROCESSOR_EVERY_MS = 1000;
/** Of the quiet points of a process, so many at either end are compared. */
const SHARE = 0.25;

export function startMeters(site: Site, tally: Tally): Meters {
  const memory = new Map<number, { at: number; mib: number }[]>();
  const busy = new Map<number, number>();
  const startedAt = performance.now();
  let seconds = 0;
  let isAsking = false;

  /** A child that is gone keeps what it had used when it was last looked at. */
  function lookAtProcessors(): void {
    for (const pid of children()) {
      const now = unlessGone(() => processorSeconds(pid));
      if (Number.isNaN(now)) continue;
      seconds += now - (busy.get(pid) ?? 0);
      busy.set(pid, now);
    }
  }

  async function probe(): Promise<void> {
    if (site.pid === null || isAsking) return;
    isAsking = true;
    const { pid } = site;
    const beganAt = performance.now();
    await site.ask('GET', '/healthz').then(
      () => {
        if (site.pid === pid) tally.measure('a request to /healthz', performance.now() - beganAt);
      },
      () => tally.count('requests to /healthz without an answer'),
    );
    isAsking = false;
  }

  const timers = [
    setInterval(() => void probe(), PROBE_EVERY_MS),
    setInterval(lookAtProcessors, PROCESSOR_EVERY_MS),
  ];
  const own = process.cpuUsage();
  const cores = (): number => {
    const { user, system } = process.cpuUsage(own);
    return (seconds + (user + system) / 1e6) / ((performance.now() - startedAt) / 1000);
  };
  const resident = (): number => unlessGone(() => site.residentMib());

  return {
    quiet() {
      const { pid } = site;
      if (pid === null || Number.isNaN(resident())) return tally.complain('the host is gone');
      const samples = memory.get(pid) ?? [];
      memory.set(pid, samples);
      samples.push({ at: performance.now(), mib: resident() });
    },
    residentMib: resident,
    cores,
    stop() {
      timers.forEach(clearInterval);
      return { cores: round(cores()), memory: ofLongest([...memory.values()]) };
    },
  };
}

function ofLongest(runs: readonly { at: number; mib: number }[][]): Measured['memory'] {
  const [samples = []] = [...runs].sort((a, b) => b.length - a.length);
  const some = Math.max(1, Math.ceil(samples.length * SHARE));
  const mib = samples.map((sample) => sample.mib);
  return {
    minutes: round(((samples.at(-1)?.at ?? 0) - (samples[0]?.at ?? 0)) / 60_000),
    firstMib: round(median(mib.slice(0, some))),
    lastMib: round(median(mib.slice(-some))),
    mostMib: round(Math.max(...mib)),
  };
}

/** NaN where the process is gone. */
function unlessGone(look: () => number): number {
  try {
    return look();
  } catch {
    return NaN;
  }
}

function children(): number[] {
  if (process.platform !== 'linux') return [];
  return readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ').map(Number);
}

const round = (figure: number): number => Math.round(figure * 100) / 100;
