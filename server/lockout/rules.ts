/** The numbers of the lockout: what a preset says, and what a site says otherwise. */
import type { Config } from '../config/schema.ts';

/** What is switched off, or never ends, is infinite. */
export interface LockoutRules {
  /** Failures of one name at one address from which on the next try has to wait. */
  readonly delayAfter: number;
  readonly maxDelayMs: number;
  /** Failures of one name at one address that lock it there. */
  readonly tries: number;
  /** How long a failure counts, from the first one on. */
  readonly windowMs: number;
  /** How long an account stays locked; infinite: until an administrator unlocks it. */
  readonly lockMs: number;
  /** How long a name stays locked at an address: always bounded, for it may be nobody's, whom nobody could unlock. */
  readonly pairLockMs: number;
  /** Failures from one address, whatever the names, from which on it is slowed. */
  readonly addressTries: number;
  /** Failures at one account, from wherever, that lock it. */
  readonly accountTries: number;
  /** How long an address stays known for a user after a sign-in there; 0: no address is ever known. */
  readonly knownMs: number;
}

type Numbers = Readonly<Record<Exclude<keyof Config['lockout'], 'preset'>, number>>;

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** In the units of the configuration; 0 switches off. */
export const PRESETS: Readonly<Record<Config['lockout']['preset'], Numbers>> = {
  standard: {
    delayAfter: 3,
    maxDelaySec: 30,
    tries: 10,
    windowMin: 15,
    lockMin: 15,
    addressTries: 30,
    // NIST SP 800-63B-4, 3.2.2.
    accountTries: 100,
    knownDays: 30,
  },
  // Jube counts at the account and nowhere else; only a success or an administrator clears it.
  jube: {
    delayAfter: 0,
    maxDelaySec: 30,
    tries: 0,
    windowMin: 0,
    lockMin: 0,
    addressTries: 0,
    accountTries: 10,
    knownDays: 0,
  },
};

/** Completes what the site has set with its preset. */
export function lockoutRules({ preset, ...own }: Config['lockout']): LockoutRules {
  const set = Object.entries(own).filter(([, number]) => number !== undefined);
  const numbers: Numbers = { ...PRESETS[preset], ...Object.fromEntries(set) };
  const lockMs = orNever(numbers.lockMin) * MINUTE_MS;
  return {
    delayAfter: orNever(numbers.delayAfter),
    maxDelayMs: numbers.maxDelaySec * 1000,
    tries: orNever(numbers.tries),
    windowMs: orNever(numbers.windowMin) * MINUTE_MS,
    lockMs,
    pairLockMs: (numbers.lockMin || PRESETS.standard.lockMin) * MINUTE_MS,
    addressTries: orNever(numbers.addressTries),
    accountTries: numbers.accountTries,
    knownMs: numbers.knownDays * DAY_MS,
  };
}

function orNever(number: number): number {
  return number === 0 ? Infinity : number;
}

/** How long the next try waits, in milliseconds: 1 s where the limit is just reached, twice as long each time. */
export function delayMs(failures: number, limit: number, { maxDelayMs }: LockoutRules): number {
  return failures < limit ? 0 : Math.min(maxDelayMs, 1000 * 2 ** (failures - limit));
}
