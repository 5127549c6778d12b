/** Finds out, step by step, what a PLC says to a connection of its own, and what is to be looked at where it says no. */
import { KeyswitchError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import {
  createDriver,
  type ConnectStep,
  type Driver,
  type DriverOptions,
  type PlcIdentity,
  type Reading,
} from './driver.ts';
import type { Item } from './items.ts';
import { ITEM_CODES, S7FormatError, S7Refusal } from './s7-frames.ts';

export type ProbeStep = ConnectStep | 'read';

/** What to look at first; `none`: all is well. */
export type Advice =
  | 'none'
  | 'host-unknown'
  | 'unreachable'
  | 'no-answer'
  | 'connection-refused'
  | 'not-s7'
  | 'wrong-rack-or-slot'
  | 'no-connection-free'
  | 'access-denied'
  | 'block-missing'
  | 'block-too-short'
  | 'item-refused';

export interface ProbeResult {
  /** All four, in their order. */
  readonly steps: readonly {
    readonly step: ProbeStep;
    readonly outcome: 'ok' | 'failed' | 'skipped';
    readonly tookMs: number | null;
  }[];
  readonly plc: PlcIdentity | null;
  readonly pduBytes: number | null;
  /** By the name of the item; empty where nothing was read. */
  readonly readings: ReadonlyMap<string, Reading<unknown>>;
  readonly advice: Advice;
  /** What went wrong first; null: nothing. */
  readonly message: string | null;
}

const STEPS: readonly ProbeStep[] = ['reach', 'connect', 'negotiate', 'read'];
/** Reasons of ISO 8073, 13.5.3: congestion at the address or of the host, no reference left, refused on this network connection. */
const FULL_REASONS: ReadonlySet<number> = new Set([0x01, 0x81, 0x87, 0x88]);
/** What the operating system says. */
const SYSTEM_ADVICE: Readonly<Record<string, Advice>> = {
  ENOTFOUND: 'host-unknown',
  EAI_AGAIN: 'host-unknown',
  ECONNREFUSED: 'connection-refused',
  ETIMEDOUT: 'no-answer',
};
const ITEM_ADVICE: Readonly<Record<number, Advice>> = {
  [ITEM_CODES.accessDenied]: 'access-denied',
  [ITEM_CODES.doesNotExist]: 'block-missing',
  [ITEM_CODES.beyondTheEnd]: 'block-too-short',
};

/** Connects once, reads `items`, asks the PLC what it is, and lets go of it. Never rejects: what fails is the result. */
export async function probe(
  endpoint: DriverOptions,
  items: readonly Item<unknown>[],
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<ProbeResult> {
  const begun = new Map<ProbeStep, number>();
  const begin = (step: ProbeStep): void => void begun.set(step, clock.monotonic());
  const driver = createDriver(endpoint, { clock, log, onStep: begin });
  let plc: PlcIdentity | null = null;
  let readings: ReadonlyMap<string, Reading<unknown>> = new Map();
  let error: KeyswitchError | null = null;
  try {
    await driver.connect();
    begin('read');
    readings = await driver.read(items);
    error = firstRefusal(readings);
  } catch (thrown) {
    if (!(thrown instanceof KeyswitchError)) throw thrown;
    error = thrown;
  }
  const endedAt = clock.monotonic();
  if (driver.pduBytes !== null) plc = await identify(driver);
  driver.close();
  const last = [...begun.keys()].at(-1) ?? 'reach';
  return {
    steps: STEPS.map((step, index) => {
      const from = begun.get(step);
      const to = begun.get(STEPS[index + 1] ?? step) ?? endedAt;
      if (from === undefined) return { step, outcome: 'skipped', tookMs: null };
      const hasFailed = error !== null && step === last;
      return { step, outcome: hasFailed ? 'failed' : 'ok', tookMs: (step === last ? endedAt : to) - from };
    }),
    ...{ plc, pduBytes: driver.pduBytes, readings },
    advice: error === null ? 'none' : adviceOn(error, last),
    message: error?.message ?? null,
  };
}

/** Says what to look at where `step` ended in `error`; for a single item, where it was refused. */
export function adviceOn(error: KeyswitchError, step: ProbeStep = 'read'): Advice {
  const { cause } = error;
  if (cause instanceof S7Refusal) return adviceOnRefusal(cause);
  if (cause instanceof S7FormatError) return 'not-s7';
  if (error.code === 'plc-timeout') return 'no-answer';
  const advice = SYSTEM_ADVICE[codeOf(cause)];
  if (advice !== undefined) return advice;
  // S7-1200 and S7-1500 close the connection without a word where the slot is wrong, and after it where none is free.
  if (step === 'connect') return 'wrong-rack-or-slot';
  return step === 'negotiate' ? 'no-connection-free' : 'unreachable';
}

function adviceOnRefusal({ of, code }: S7Refusal): Advice {
  if (of === 'iso') return FULL_REASONS.has(code) ? 'no-connection-free' : 'wrong-rack-or-slot';
  // Every CPU can be read: what it turns down as a whole, it protects.
  if (of === 'request') return 'access-denied';
  return ITEM_ADVICE[code] ?? 'item-refused';
}

function firstRefusal(readings: ReadonlyMap<string, Reading<unknown>>): KeyswitchError | null {
  return [...readings.values()].find((reading) => reading instanceof KeyswitchError) ?? null;
}

async function identify(driver: Driver): Promise<PlcIdentity | null> {
  return driver.identify().catch(() => null);
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : '';
}
