import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ACKNOWLEDGEMENT,
  decideRequest,
  initialRequestState,
  type Acknowledgement,
  type RequestAction,
  type RequestEvent,
  type RequestState,
} from './request-machine.ts';

const { done, unknown, refused, failed } = ACKNOWLEDGEMENT;
const serve = (value: number): RequestAction => ({ do: 'serve', value });
const acknowledge = (value: number): RequestAction => ({ do: 'acknowledge', value });
const forget: RequestAction = { do: 'forget' };

/** A host that sees events; each call gives the actions that the event led to. */
class Play {
  state: RequestState;

  constructor(inherited: number | null = null) {
    this.state = initialRequestState(inherited);
  }

  sees(event: RequestEvent): readonly RequestAction[] {
    const { state, actions } = decideRequest(this.state, event);
    this.state = state;
    return actions;
  }

  reads(request: number, acknowledged: number | null, standing = 0): readonly RequestAction[] {
    return this.sees({ type: 'polled', request, acknowledged, standing });
  }

  isAnswered(acknowledgement: Acknowledgement): readonly RequestAction[] {
    return this.sees({ type: 'answered', acknowledgement });
  }

  reconnects(): readonly RequestAction[] {
    return this.sees({ type: 'connected' });
  }
}

/** A host that has looked at a PLC without a request. */
function idle(): Play {
  const play = new Play();
  play.reads(0, 0);
  return play;
}

describe('a request', () => {
  it.each([done, unknown, refused, failed])(
    'is served once, and answered with %d until it is taken back',
    (answer) => {
      const play = idle();
      expect(play.reads(5, 0)).toEqual([serve(5)]);
      expect(play.reads(5, 0)).toEqual([]);
      expect(play.isAnswered(answer)).toEqual([acknowledge(answer)]);
      expect(play.reads(5, null)).toEqual([]);
      expect(play.reads(5, answer)).toEqual([]);
      expect(play.reads(0, answer)).toEqual([acknowledge(0), forget]);
      expect(play.reads(0, 0)).toEqual([]);
      expect(play.reads(5, 0)).toEqual([serve(5)]);
    },
  );

  it.each([null, done])('waits until the last acknowledgement is gone: %s', (acknowledged) => {
    const play = idle();
    expect(play.reads(5, acknowledged)).toEqual([]);
    expect(play.reads(5, 0)).toEqual([serve(5)]);
  });

  it('that is taken back while it is served is answered no more', () => {
    const play = idle();
    play.reads(5, 0);
    expect(play.reads(0, 0)).toEqual([]);
    expect(play.isAnswered(done)).toEqual([acknowledge(0), forget]);
  });

  it('that another one replaces is followed by that one, with an acknowledgement of 0 in between', () => {
    const play = idle();
    play.reads(5, 0);
    play.isAnswered(done);
    expect(play.reads(9, done)).toEqual([acknowledge(0), forget]);
    expect(play.reads(9, null)).toEqual([]);
    expect(play.reads(9, 0)).toEqual([serve(9)]);
  });

  it('that another one replaces while it is served is followed by that one', () => {
    const play = idle();
    play.reads(5, 0);
    play.reads(9, 0);
    expect(play.isAnswered(done)).toEqual([acknowledge(0), forget]);
    expect(play.reads(9, 0)).toEqual([serve(9)]);
  });
});

describe('a host that starts', () => {
  it('clears what is acknowledged where nothing is asked for, and forgets', () => {
    expect(new Play(5).reads(0, done)).toEqual([acknowledge(0), forget]);
  });

  it('serves what was asked for while it was away', () => {
    const play = new Play();
    expect(play.reads(5, 0)).toEqual([acknowledge(0)]);
    expect(play.reads(5, 0)).toEqual([serve(5)]);
  });

  it('serves a request that is not the one it had noted', () => {
    const play = new Play(9);
    play.reads(5, 0);
    expect(play.reads(5, 0)).toEqual([serve(5)]);
  });

  it('keeps the answer that stands there', () => {
    const play = new Play(5);
    expect(play.reads(5, refused)).toEqual([acknowledge(refused)]);
    expect(play.reads(5, refused)).toEqual([]);
    expect(play.reads(0, refused)).toEqual([acknowledge(0), forget]);
  });

  it.each([
    ['done where its user is signed in', 5, done],
    ['failed where another one is', 9, failed],
  ])('answers the request that it had noted without serving it again: %s', (_title, standing, answer) => {
    const play = new Play(5);
    expect(play.reads(5, 0, standing)).toEqual([acknowledge(answer)]);
    expect(play.reads(5, answer, standing)).toEqual([]);
  });

  it('waits for the acknowledge word before it does anything', () => {
    expect(new Play().reads(5, null)).toEqual([]);
  });
});

describe('a connection that breaks', () => {
  it('leaves an answer that has arrived as it is', () => {
    const play = idle();
    play.reads(5, 0);
    play.isAnswered(done);
    play.reads(5, done);
    play.reconnects();
    expect(play.reads(5, null, 9)).toEqual([]);
  });

  it.each([
    ['is told again where it holds', done, 5, [acknowledge(done)]],
    ['is told as failed where it holds no more', done, 9, [acknowledge(failed)]],
    ['stays as it is where it was a refusal', refused, 9, []],
  ])('before the answer has arrived: it %s', (_title, answer, standing, actions) => {
    const play = idle();
    play.reads(5, 0);
    play.isAnswered(answer);
    play.reconnects();
    expect(play.reads(5, null, standing)).toEqual(actions);
    expect(play.reads(5, null, standing)).toEqual([]);
  });
});

type Step =
  | 'poll'
  | 'land'
  | 'door'
  | 'program'
  | 'withdraw'
  | 'plc-restarts'
  | 'host-restarts'
  | 'reconnect'
  | 'other-user';

const STEPS: readonly Step[] = [
  ...(['poll', 'poll', 'poll', 'land', 'land', 'door', 'door', 'program', 'program', 'program'] as const),
  ...(['withdraw', 'plc-restarts', 'host-restarts', 'reconnect', 'other-user'] as const),
];

/** A PLC with a badge reader, a host with its disk, and a control room where others sign in by themselves. */
class World {
  request = 0;
  acknowledged = 0;
  /** Which request stands in the PLC: each one that the program raises has a number of its own. */
  number = 0;
  readonly answers = new Map<number, number>();
  readonly signIns = new Map<number, number>();
  readonly #values: number[];
  readonly #known: ReadonlySet<number>;
  #current = 0;
  #noted: number | null = null;
  #play: Play;
  /** The request that the host saw with its last poll. */
  #seen = 0;
  #serving: { value: number; number: number } | null = null;
  /** The mirror: what is wanted, and what is on its way. */
  #wanted: number | null = null;
  #onItsWay: number | null = null;
  #hasGreeted = false;

  constructor(values: readonly number[], known: ReadonlySet<number>) {
    this.#values = [...values];
    this.#known = known;
    this.#play = new Play();
  }

  take(step: Step): void {
    if (step === 'poll') this.#poll();
    else if (step === 'land') this.#land();
    else if (step === 'door') this.#answer();
    else if (step === 'program') this.#runProgram();
    else if (step === 'withdraw') this.request = 0;
    else if (step === 'plc-restarts') [this.request, this.acknowledged] = [0, 0];
    else if (step === 'host-restarts') this.#restart();
    else if (step === 'reconnect') this.#reconnect();
    else this.#current = this.#current === 7 ? 8 : 7;
  }

  /** Lets everything come to rest, with a program that asks for nothing new. */
  settle(): void {
    this.#values.length = 0;
    for (let round = 0; round < 12; round += 1) {
      for (const step of ['poll', 'land', 'door', 'poll', 'land', 'program'] as const) this.take(step);
    }
  }

  /** What the documentation asks of a program. */
  #runProgram(): void {
    if (this.request !== 0 && this.acknowledged !== 0) {
      this.answers.set(this.number, this.acknowledged);
      this.request = 0;
    } else if (this.request === 0 && this.acknowledged === 0) {
      const next = this.#values.shift();
      if (next === undefined) return;
      this.request = next;
      this.number += 1;
    }
  }

  #poll(): void {
    const isKept = this.#hasGreeted && this.#onItsWay === null && this.acknowledged === this.#wanted;
    const isSure = !this.#play.state.hasLooked || isKept;
    this.#seen = this.number;
    const event: RequestEvent = {
      type: 'polled',
      request: this.request,
      acknowledged: isSure ? this.acknowledged : null,
      standing: this.#current,
    };
    this.#perform(this.#play.sees(event));
    if (this.#wanted === null || this.#onItsWay !== null) return;
    if (!this.#hasGreeted || this.acknowledged !== this.#wanted) this.#onItsWay = this.#wanted;
    this.#hasGreeted = true;
  }

  #land(): void {
    if (this.#onItsWay === null) return;
    this.acknowledged = this.#onItsWay;
    this.#onItsWay = null;
  }

  #perform(actions: readonly RequestAction[]): void {
    for (const action of actions) {
      if (action.do === 'acknowledge') this.#wanted = action.value;
      else if (action.do === 'forget') this.#noted = null;
      else {
        expect(this.#serving).toBeNull();
        this.#noted = action.value;
        this.#serving = { value: action.value, number: this.#seen };
      }
    }
  }

  #answer(): void {
    if (this.#serving === null) return;
    const { value, number } = this.#serving;
    this.#serving = null;
    const isKnown = this.#known.has(value);
    if (isKnown && this.#current !== value) {
      this.#current = value;
      this.signIns.set(number, (this.signIns.get(number) ?? 0) + 1);
    }
    this.#perform(this.#play.isAnswered(isKnown ? done : unknown));
  }

  /** With or without what the door was asked: it may have been on its way to the disk already. */
  #restart(): void {
    const { value, number } = this.#serving ?? {};
    this.#serving = null;
    if (value !== undefined && number !== undefined && number % 2 === 0 && this.#current !== value) {
      this.#current = value;
      this.signIns.set(number, (this.signIns.get(number) ?? 0) + 1);
    }
    this.#play = new Play(this.#noted);
    this.#wanted = null;
    this.#onItsWay = null;
    this.#hasGreeted = false;
  }

  #reconnect(): void {
    this.#onItsWay = null;
    this.#hasGreeted = false;
    this.#perform(this.#play.reconnects());
  }
}

describe('however polls, writes, sign-ins and restarts of both sides cross,', () => {
  const scripts = fc.record({
    values: fc.array(fc.constantFrom(4, 5, 77), { minLength: 1, maxLength: 6 }),
    steps: fc.array(fc.constantFrom(...STEPS), { maxLength: 80, size: 'max' }),
  });

  it('one request signs in once at most, is answered where it stands, and the acknowledgement ends at 0', () => {
    fc.assert(
      fc.property(scripts, ({ values, steps }) => {
        const world = new World(values, new Set([4, 5]));
        for (const step of steps) world.take(step);
        const standing = world.request === 0 ? null : world.number;
        world.settle();
        expect([...world.signIns.values()].filter((times) => times > 1)).toEqual([]);
        if (standing !== null) expect(world.answers.has(standing)).toBe(true);
        expect([world.request, world.acknowledged]).toEqual([0, 0]);
      }),
      { numRuns: 5000 },
    );
  });

  it('a request that nothing disturbs is answered with what became of it', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(4, 5, 77), { minLength: 1, maxLength: 4 }), (values) => {
        const world = new World(values, new Set([4, 5]));
        for (let round = 0; round < 60; round += 1) {
          for (const step of ['poll', 'land', 'door', 'poll', 'land', 'program'] as const) world.take(step);
        }
        expect([...world.answers.values()]).toEqual(values.map((value) => (value === 77 ? unknown : done)));
      }),
    );
  });
});
