import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decide,
  INITIAL,
  type ConnectionAction,
  type ConnectionEvent,
  type ConnectionState,
  type Machine,
} from './connection-machine.ts';

/** What a machine did, in short: `attempt 1`, `drop 1`, `poll 1`, `wait 800`, `wait no more`. */
class Play {
  machine: Machine = INITIAL;

  sees(event: ConnectionEvent): string[] {
    const { machine, actions } = decide(this.machine, event);
    this.machine = machine;
    return actions.map(shown);
  }

  fails(attempt: number, declined = false): string[] {
    return this.sees({ type: 'ended', attempt, declined });
  }

  get state(): ConnectionState {
    return this.machine.state;
  }
}

function shown(action: ConnectionAction): string {
  if (action.do !== 'wait') return `${action.do} ${action.attempt}`;
  return action.upToMs === null ? 'wait no more' : `wait ${action.upToMs}`;
}

const wanted: ConnectionEvent = { type: 'wanted' };
const unwanted: ConnectionEvent = { type: 'unwanted' };
const due: ConnectionEvent = { type: 'due' };
const connected = (attempt: number): ConnectionEvent => ({ type: 'connected', attempt });
const polled = (attempt: number, isWell = true): ConnectionEvent => ({ type: 'polled', attempt, isWell });

function online(): Play {
  const play = new Play();
  play.sees(wanted);
  play.sees(connected(1));
  play.sees(polled(1));
  return play;
}

describe('a connection', () => {
  it('is idle until somebody watches, and connects then', () => {
    const play = new Play();
    expect(play.sees(due)).toEqual([]);
    expect(play.state).toBe('idle');
    expect(play.sees(wanted)).toEqual(['attempt 1', 'wait 800']);
    expect(play.state).toBe('connecting');
    expect(play.sees(wanted)).toEqual([]);
  });

  it('is online when the first poll is answered, not before', () => {
    const play = new Play();
    play.sees(wanted);
    expect(play.sees(connected(1))).toEqual(['wait no more', 'poll 1']);
    expect(play.state).toBe('connecting');
    expect(play.sees(polled(1))).toEqual([]);
    expect(play.state).toBe('online');
  });

  it('is degraded while a poll tells so, and online again with the first that is well', () => {
    const play = online();
    play.sees(polled(1, false));
    expect(play.state).toBe('degraded');
    play.sees(polled(1, true));
    expect(play.state).toBe('online');
  });

  it('tries anew soon after it broke', () => {
    const play = online();
    expect(play.fails(1)).toEqual(['wait 250']);
    expect(play.state).toBe('backing-off');
    expect(play.sees(due)).toEqual(['attempt 2', 'wait 800']);
    play.sees(connected(2));
    expect(play.state).toBe('backing-off');
    play.sees(polled(2));
    expect(play.state).toBe('online');
  });

  it.each(['connecting', 'online', 'backing-off'])(
    'lets go of everything when nobody watches, while %s',
    (when) => {
      const play = when === 'connecting' ? new Play() : online();
      if (when === 'connecting') play.sees(wanted);
      if (when === 'backing-off') play.fails(1);
      expect(play.sees(unwanted)).toEqual(
        when === 'backing-off' ? ['wait no more'] : ['drop 1', 'wait no more'],
      );
      expect(play.state).toBe('idle');
      expect(play.fails(1)).toEqual([]);
      expect(play.sees(due)).toEqual([]);
      expect(play.sees(wanted)).toEqual(['attempt 2', 'wait 800']);
    },
  );
});

describe('a peer that is away', () => {
  it('is asked after 250 and 500 ms, then every 800 ms, for as long as it takes', () => {
    const play = new Play();
    play.sees(wanted);
    const waits = Array.from({ length: 50 }, (_, index) => {
      const [wait] = play.fails(index + 1);
      play.sees(due);
      return wait;
    });
    expect(waits.slice(0, 3)).toEqual(['wait 250', 'wait 500', 'wait 800']);
    expect(new Set(waits.slice(2))).toEqual(new Set(['wait 800']));
  });

  it('is asked anew beside an attempt without an answer; the oldest keeps its time, the others make room', () => {
    const play = new Play();
    play.sees(wanted);
    expect(play.sees(due)).toEqual(['attempt 2', 'wait 800']);
    expect(play.sees(due)).toEqual(['drop 2', 'attempt 3', 'wait 800']);
    expect(play.machine.attempts).toEqual([1, 3]);
    expect(play.state).toBe('connecting');
    expect(play.fails(1)).toEqual([]);
    expect(play.state).toBe('backing-off');
    expect(play.sees(due)).toEqual(['attempt 4', 'wait 800']);
    expect(play.machine.attempts).toEqual([3, 4]);
  });

  it('is connected by whichever attempt gets through, and the other is dropped', () => {
    const play = new Play();
    play.sees(wanted);
    play.sees(due);
    expect(play.sees(connected(1))).toEqual(['drop 2', 'wait no more', 'poll 1']);
    expect(play.sees(connected(2))).toEqual([]);
    expect(play.fails(2)).toEqual([]);
    expect(play.sees(due)).toEqual([]);
  });
});

describe('a peer that declines', () => {
  it('is asked after 250 ms, doubled each time to 10 s', () => {
    const play = new Play();
    play.sees(wanted);
    const waits = Array.from({ length: 9 }, (_, index) => {
      const [wait] = play.fails(index + 1, true);
      play.sees(due);
      return wait;
    });
    expect(waits).toEqual(
      [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000, 10_000].map((ms) => `wait ${ms}`),
    );
  });

  it('is not asked a second time at once by another attempt', () => {
    const play = new Play();
    play.sees(wanted);
    play.sees(due);
    expect(play.fails(1, true)).toEqual(['drop 2', 'wait 250']);
  });

  it('declines also by breaking a connection before its first poll', () => {
    const play = new Play();
    play.sees(wanted);
    for (const [attempt, wait] of [
      [1, 250],
      [2, 500],
      [3, 1000],
    ] as const) {
      play.sees(connected(attempt));
      expect(play.fails(attempt, true)).toEqual([`wait ${wait}`]);
      play.sees(due);
    }
  });

  it('starts from 250 ms after a poll was answered', () => {
    const play = new Play();
    play.sees(wanted);
    for (const attempt of [1, 2, 3, 4]) {
      play.fails(attempt, true);
      play.sees(due);
    }
    play.sees(connected(5));
    play.sees(polled(5));
    expect(play.fails(5, true)).toEqual(['wait 250']);
  });
});

describe('whatever happens, in whatever order', () => {
  const attempts = fc.integer({ min: 1, max: 12 });
  const events: fc.Arbitrary<ConnectionEvent> = fc.oneof(
    fc.constantFrom(wanted, unwanted, due, due),
    attempts.map(connected),
    fc.tuple(attempts, fc.boolean()).map(([attempt, isWell]) => polled(attempt, isWell)),
    fc
      .tuple(attempts, fc.boolean())
      .map(([attempt, declined]): ConnectionEvent => ({ type: 'ended', attempt, declined })),
  );

  it('never more than two attempts are open, none without being known, and something always comes next', () => {
    fc.assert(
      fc.property(fc.array(events, { maxLength: 60 }), (story) => {
        const play = new Play();
        const open = new Set<number>();
        let isWaiting = false;
        for (const event of story) {
          // What a wiring cannot say is left out: it tells of open attempts only, and of a wait that there is.
          if ('attempt' in event && !open.has(event.attempt)) continue;
          if (event.type === 'due' && !isWaiting) continue;
          if (event.type === 'ended') open.delete(event.attempt);
          if (event.type === 'due') isWaiting = false;
          for (const action of play.sees(event)) {
            const number = Number(action.split(' ')[1]);
            if (action.startsWith('attempt')) open.add(number);
            if (action.startsWith('drop')) open.delete(number);
            if (action.startsWith('wait')) isWaiting = action !== 'wait no more';
          }
          const { state, line, attempts: tried } = play.machine;
          expect([...open].sort()).toEqual([...tried, ...(line === null ? [] : [line])].sort());
          expect(open.size).toBeLessThanOrEqual(2);
          expect(state === 'idle').toBe(open.size === 0 && !isWaiting);
          if (state !== 'idle') expect(isWaiting).toBe(line === null);
          if (state === 'online' || state === 'degraded') expect(line).not.toBeNull();
        }
      }),
      { numRuns: 1000 },
    );
  });
});
