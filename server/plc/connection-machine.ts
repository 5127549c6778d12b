/** When a PLC is asked again, and which attempt becomes the connection: what happened in, what to do out, no time and no socket. */

/**
 * `idle`: nobody watches. `connecting`: the first attempt is not decided yet. `online`: polled, all is well.
 * `degraded`: polled, but an item is refused, or answers take long. `backing-off`: not connected, the next attempt is
 * on its way.
 */
export type ConnectionState = 'idle' | 'connecting' | 'online' | 'degraded' | 'backing-off';

/** Attempts are numbered in the order in which they begin. */
export interface Machine {
  readonly state: ConnectionState;
  /** Those under way, the oldest first: see `due` in `decide` for why there may be two. */
  readonly attempts: readonly number[];
  /** The one that got through. */
  readonly line: number | null;
  /** Failures in a row. */
  readonly failures: number;
  readonly lastAttempt: number;
}

export type ConnectionEvent =
  /** The first watcher came, the last one left. */
  | { readonly type: 'wanted' }
  | { readonly type: 'unwanted' }
  /** What `wait` asked for is over. */
  | { readonly type: 'due' }
  | { readonly type: 'connected'; readonly attempt: number }
  /** It failed, or broke. `declined`: the peer speaks and says no; otherwise it is away, silent or beside itself. */
  | { readonly type: 'ended'; readonly attempt: number; readonly declined: boolean }
  /** A poll was answered; `isWell`: all of it, and in good time. */
  | { readonly type: 'polled'; readonly attempt: number; readonly isWell: boolean };

export type ConnectionAction =
  | { readonly do: 'attempt' | 'drop' | 'poll'; readonly attempt: number }
  /** Between three quarters and all of this time, by chance, so that hosts do not storm a PLC in step; null: no longer. */
  | { readonly do: 'wait'; readonly upToMs: number | null };

export interface Decision {
  readonly machine: Machine;
  readonly actions: readonly ConnectionAction[];
}

const FIRST_WAIT_MS = 250;
/** Every attempt finds a peer that is back by then; with what connecting takes, it is online within a second. */
const LONGEST_WAIT_MS = 800;
/** A peer that declines is alive, somebody is changing it, and its few connections are not ours to take. */
const LONGEST_WAIT_DECLINED_MS = 10_000;

export const INITIAL: Machine = { state: 'idle', attempts: [], line: null, failures: 0, lastAttempt: 0 };

/** Says what follows from one event. Events of attempts that were dropped change nothing. */
export function decide(machine: Machine, event: ConnectionEvent): Decision {
  const { state, attempts, line, failures } = machine;
  switch (event.type) {
    case 'wanted':
      return state === 'idle' ? begin({ ...machine, state: 'connecting' }) : { machine, actions: [] };

    case 'unwanted': {
      const open = line === null ? attempts : [line];
      return {
        machine: { ...INITIAL, lastAttempt: machine.lastAttempt },
        actions: [...open.map(drop), { do: 'wait', upToMs: null }],
      };
    }

    case 'due':
      // A peer that drops packets leaves an attempt without an answer for good, even once it is back, so a new one
      // begins beside it. The oldest keeps its whole time, for a slow peer that is alive needs it; the others last
      // until the next begins. So a peer never sees more than two.
      if (state === 'idle' || line !== null) return { machine, actions: [] };
      return begin({ ...machine, attempts: attempts.slice(0, 1) }, attempts.slice(1).map(drop));

    case 'connected': {
      if (!attempts.includes(event.attempt)) return { machine, actions: [] };
      const others = attempts.filter((attempt) => attempt !== event.attempt);
      return {
        machine: { ...machine, attempts: [], line: event.attempt },
        actions: [...others.map(drop), { do: 'wait', upToMs: null }, { do: 'poll', attempt: event.attempt }],
      };
    }

    case 'polled':
      if (event.attempt !== line) return { machine, actions: [] };
      return {
        machine: { ...machine, state: event.isWell ? 'online' : 'degraded', failures: 0 },
        actions: [],
      };

    case 'ended': {
      const isOurs = event.attempt === line || attempts.includes(event.attempt);
      if (!isOurs) return { machine, actions: [] };
      const others = attempts.filter((attempt) => attempt !== event.attempt);
      const failed: Machine = { ...machine, state: 'backing-off', attempts: others, line: null };
      // Another one is under way, and the next is due: this one told nothing new.
      if (others.length > 0 && !event.declined) return { machine: failed, actions: [] };
      return {
        machine: { ...failed, attempts: [], failures: failures + 1 },
        actions: [...others.map(drop), { do: 'wait', upToMs: waitMs(failures, event.declined) }],
      };
    }
  }
}

function begin(machine: Machine, before: readonly ConnectionAction[] = []): Decision {
  const attempt = machine.lastAttempt + 1;
  return {
    machine: { ...machine, attempts: [...machine.attempts, attempt], lastAttempt: attempt },
    actions: [...before, { do: 'attempt', attempt }, { do: 'wait', upToMs: LONGEST_WAIT_MS }],
  };
}

/** The longest wait after `failures` + 1 failures in a row: doubled each time, up to what suits the peer. */
function waitMs(failures: number, declined: boolean): number {
  return Math.min(FIRST_WAIT_MS * 2 ** failures, declined ? LONGEST_WAIT_DECLINED_MS : LONGEST_WAIT_MS);
}

function drop(attempt: number): ConnectionAction {
  return { do: 'drop', attempt };
}
