import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decide,
  initialState,
  succeedingState,
  type Answer,
  type Disobedience,
  type LinkAction,
  type LinkEvent,
  type LinkSettings,
  type LinkState,
  type Surroundings,
} from './link-machine.ts';

const NOBODY: Surroundings = { wanted: 0, signedIn: false, polls: 0 };
const HOST_WINS: LinkSettings = { defaultValue: 0, onConnect: 'host' };
const PLC_WINS: LinkSettings = { defaultValue: 0, onConnect: 'plc' };

const write = (value: number): LinkAction => ({ do: 'write', value });
const signIn = (value: number): LinkAction => ({ do: 'sign-in', value });
const fillIn = (value: number): LinkAction => ({ do: 'fill-in', value });
const signOut: LinkAction = { do: 'sign-out' };
const warn = (value: number, reason: Disobedience): LinkAction => ({ do: 'warn', value, reason });
const answered = (answer: Answer): LinkEvent => ({ type: 'answered', answer });

/** A link played event by event; each call gives the actions that the event led to. */
class Play {
  readonly #settings: LinkSettings;
  state: LinkState;
  now = NOBODY;

  constructor(settings: LinkSettings, wanted = 0) {
    this.#settings = settings;
    this.now = { ...NOBODY, wanted, signedIn: wanted !== 0 };
    this.state = initialState(wanted);
  }

  sees(event: LinkEvent, now: Partial<Surroundings> = {}): readonly LinkAction[] {
    this.now = { ...this.now, ...now };
    const { state, actions } = decide(this.#settings, this.state, event, this.now);
    this.state = state;
    return actions;
  }

  /** The current user changes to the one with `value`, or to nobody. */
  host(value: number | null): readonly LinkAction[] {
    return this.sees({ type: 'host-changed' }, { wanted: value ?? 0, signedIn: value !== null });
  }

  /** A poll is asked for and answered at once. */
  reads(value: number): readonly LinkAction[] {
    const poll = this.now.polls + 1;
    return this.sees({ type: 'polled', value, poll }, { polls: poll });
  }

  /** The door does as it was asked: the host's new state is there when it answers. */
  obeys(value: number | null, answer: Answer): readonly LinkAction[] {
    this.now = { ...this.now, wanted: value ?? 0, signedIn: value !== null };
    return this.sees(answered(answer));
  }
}

/** Online and in step: the host's value is in the word, the fallback user was asked for. */
function inStep(settings: LinkSettings, wanted = 0): Play {
  const play = new Play(settings, wanted);
  play.sees({ type: 'host-changed' });
  if (wanted === 0) play.sees(answered('unknown'));
  play.sees({ type: 'connected' });
  if (settings.onConnect === 'host') play.sees({ type: 'written' });
  play.reads(wanted);
  return play;
}

describe('a change of the host', () => {
  it('is written at once', () => {
    const play = inStep(HOST_WINS);
    expect(play.host(9)).toEqual([write(9)]);
    expect(play.sees({ type: 'written' })).toEqual([]);
    expect(play.state).toMatchObject({ known: 9, unwritten: false, writing: null });
  });

  it('does not echo: reading what was written is no edge', () => {
    const play = inStep(HOST_WINS);
    play.host(9);
    play.sees({ type: 'written' });
    expect(play.reads(9)).toEqual([]);
    expect(play.reads(9)).toEqual([]);
  });

  it('is not undone by a poll that was under way', () => {
    const play = inStep(HOST_WINS);
    play.host(9);
    expect(play.sees({ type: 'polled', value: 4, poll: 2 }, { polls: 2 })).toEqual([]);
    expect(play.sees({ type: 'written' })).toEqual([]);
    expect(play.reads(9)).toEqual([]);
  });

  it('is not undone by a poll that was asked for before the write and answered after it', () => {
    const play = inStep(HOST_WINS);
    play.host(9);
    play.sees({ type: 'written' }, { polls: 7 });
    expect(play.sees({ type: 'polled', value: 0, poll: 7 })).toEqual([]);
    expect(play.sees({ type: 'polled', value: 9, poll: 8 }, { polls: 8 })).toEqual([]);
  });

  it('supersedes one whose write is under way: only the newest follows', () => {
    const play = inStep(HOST_WINS);
    play.host(9);
    expect(play.host(5)).toEqual([]);
    expect(play.host(4)).toEqual([]);
    expect(play.sees({ type: 'written' })).toEqual([write(4)]);
    expect(play.sees({ type: 'written' })).toEqual([]);
  });

  it('that comes back to the value under way is not written twice', () => {
    const play = inStep(HOST_WINS);
    play.host(9);
    play.host(5);
    play.host(9);
    expect(play.sees({ type: 'written' })).toEqual([]);
  });

  it('to a user with the same value writes nothing', () => {
    const play = inStep(HOST_WINS, 9);
    expect(play.host(9)).toEqual([]);
  });

  it('is noticed with whatever comes first, before an edge is taken from it', () => {
    const play = inStep(HOST_WINS);
    expect(play.sees({ type: 'polled', value: 4, poll: 2 }, { wanted: 9, signedIn: true, polls: 2 })).toEqual(
      [write(9)],
    );
  });
});

describe('a write that fails', () => {
  it('is tried again with the next poll where the PLC refused it', () => {
    const play = inStep(HOST_WINS);
    play.host(9);
    expect(play.sees({ type: 'write-failed', lost: false })).toEqual([]);
    expect(play.state.unwritten).toBe(true);
    expect(play.reads(0)).toEqual([write(9)]);
  });

  it('is superseded by a newer change of the host, which goes at once', () => {
    const play = inStep(HOST_WINS);
    play.host(9);
    play.host(4);
    expect(play.sees({ type: 'write-failed', lost: false })).toEqual([write(4)]);
  });

  it('is superseded by an edge of the PLC', () => {
    const play = inStep(HOST_WINS);
    play.host(9);
    play.sees({ type: 'write-failed', lost: false });
    expect(play.reads(4)).toEqual([signIn(4)]);
    expect(play.obeys(4, 'signed-in')).toEqual([]);
    expect(play.state.unwritten).toBe(false);
  });

  it('is over when the word holds the value all the same', () => {
    const play = inStep(HOST_WINS);
    play.host(9);
    play.sees({ type: 'write-failed', lost: false });
    expect(play.reads(9)).toEqual([]);
    expect(play.state.unwritten).toBe(false);
  });

  it('takes what was read meanwhile for the state before it, not for an edge', () => {
    const play = inStep(HOST_WINS);
    play.host(9);
    play.sees({ type: 'polled', value: 4, poll: 2 }, { polls: 2 });
    play.sees({ type: 'write-failed', lost: false });
    expect(play.reads(4)).toEqual([write(9)]);
  });

  it.each([HOST_WINS, PLC_WINS])(
    'waits for the next connection where the connection broke (%j)',
    (settings) => {
      const play = inStep(settings);
      play.host(9);
      expect(play.sees({ type: 'write-failed', lost: true })).toEqual([]);
      expect(play.sees({ type: 'disconnected' })).toEqual([]);
      const actions = [...play.sees({ type: 'connected' })];
      if (settings.onConnect === 'plc') actions.push(...play.reads(0));
      expect(actions).toEqual([write(9)]);
    },
  );

  it('never brings an older value after a newer one', () => {
    const play = inStep(HOST_WINS);
    play.host(9);
    play.sees({ type: 'write-failed', lost: true });
    play.sees({ type: 'disconnected' });
    expect(play.host(5)).toEqual([]);
    expect(play.host(4)).toEqual([]);
    expect(play.sees({ type: 'connected' })).toEqual([write(4)]);
    expect(play.sees({ type: 'written' })).toEqual([]);
  });
});

describe('an edge of the PLC', () => {
  it('to the value of a user signs that user in and writes nothing', () => {
    const play = inStep(HOST_WINS);
    expect(play.reads(4)).toEqual([signIn(4)]);
    expect(play.host(4)).toEqual([]);
    expect(play.obeys(4, 'signed-in')).toEqual([]);
    expect(play.reads(4)).toEqual([]);
  });

  it('survives a late notice of the sign-in it led to', () => {
    const play = inStep(HOST_WINS);
    play.reads(4);
    expect(play.obeys(4, 'signed-in')).toEqual([]);
    expect(play.host(4)).toEqual([]);
  });

  it('is not answered with the blink between two users', () => {
    const play = inStep(HOST_WINS, 9);
    play.reads(4);
    expect(play.host(null)).toEqual([]);
    expect(play.host(4)).toEqual([]);
    expect(play.obeys(4, 'signed-in')).toEqual([]);
  });

  it('to an unknown value is told, and overwritten', () => {
    const play = inStep(HOST_WINS, 9);
    expect(play.reads(77)).toEqual([signIn(77)]);
    expect(play.sees(answered('unknown'))).toEqual([warn(77, 'unknown'), write(9)]);
    expect(play.sees({ type: 'written' })).toEqual([]);
    expect(play.reads(9)).toEqual([]);
  });

  it('to the value of a barred user is told, and overwritten', () => {
    const play = inStep(HOST_WINS);
    play.reads(1);
    expect(play.sees(answered('barred'))).toEqual([warn(1, 'barred'), write(0)]);
  });

  it('is overwritten where the door failed', () => {
    const play = inStep(HOST_WINS, 9);
    play.reads(4);
    expect(play.sees(answered('failed'))).toEqual([write(9)]);
  });

  it('to a refused value is told once while the PLC insists, and again when it comes anew', () => {
    const play = inStep(HOST_WINS);
    play.reads(77);
    play.sees(answered('unknown'));
    play.sees({ type: 'written' });
    expect(play.reads(77)).toEqual([signIn(77)]);
    expect(play.sees(answered('unknown'))).toEqual([write(0)]);
    play.sees({ type: 'written' });
    play.reads(0);
    play.reads(77);
    expect(play.sees(answered('unknown'))).toEqual([warn(77, 'unknown'), write(0)]);
  });

  it('to the default signs out', () => {
    const play = inStep(HOST_WINS, 9);
    expect(play.reads(0)).toEqual([signIn(0)]);
    expect(play.sees(answered('unknown'))).toEqual([signOut]);
    expect(play.obeys(null, 'signed-out')).toEqual([]);
    expect(play.reads(0)).toEqual([]);
  });

  it('to the default signs the fallback user in where there is one', () => {
    const play = inStep(HOST_WINS, 9);
    expect(play.reads(0)).toEqual([signIn(0)]);
    expect(play.sees(answered('signed-in'), { wanted: 0, signedIn: true })).toEqual([]);
  });

  it('to the default signs out where the fallback user is barred, or the door failed', () => {
    const barred = inStep(HOST_WINS, 9);
    barred.reads(0);
    expect(barred.sees(answered('barred'))).toEqual([warn(0, 'barred'), signOut]);
    const failed = inStep(HOST_WINS, 9);
    failed.reads(0);
    expect(failed.sees(answered('failed'))).toEqual([signOut]);
  });

  it('that could not sign out is overwritten: the word must not say nobody while somebody is', () => {
    const play = inStep(HOST_WINS, 9);
    play.reads(0);
    play.sees(answered('unknown'));
    expect(play.sees(answered('failed'))).toEqual([write(9)]);
  });

  it('waits while the door is busy, and the latest wins', () => {
    const play = inStep(HOST_WINS);
    expect(play.reads(4)).toEqual([signIn(4)]);
    expect(play.reads(5)).toEqual([]);
    expect(play.reads(9)).toEqual([]);
    expect(play.obeys(4, 'signed-in')).toEqual([signIn(9)]);
    expect(play.obeys(9, 'signed-in')).toEqual([]);
  });

  it('that waits makes writing back an older refusal needless', () => {
    const play = inStep(HOST_WINS);
    play.reads(77);
    play.reads(4);
    expect(play.sees(answered('unknown'))).toEqual([warn(77, 'unknown'), signIn(4)]);
  });

  it('back to what the host has asks nobody', () => {
    const play = inStep(HOST_WINS);
    play.reads(4);
    play.reads(0);
    play.reads(4);
    expect(play.obeys(4, 'signed-in')).toEqual([]);
  });

  it('is followed by the host where the host moved on while the door was busy', () => {
    const play = inStep(HOST_WINS);
    play.reads(4);
    expect(play.host(9)).toEqual([]);
    expect(play.sees(answered('signed-in'))).toEqual([write(9)]);
  });
});

describe('a connection', () => {
  it("gets the host's state at once where the host wins", () => {
    const play = new Play(HOST_WINS, 9);
    expect(play.sees({ type: 'connected' })).toEqual([write(9)]);
    play.sees({ type: 'written' });
    expect(play.reads(9)).toEqual([]);
  });

  it('gets it again after every break, whatever the PLC holds by then', () => {
    const play = inStep(HOST_WINS, 9);
    play.sees({ type: 'disconnected' });
    expect(play.sees({ type: 'connected' })).toEqual([write(9)]);
    expect(play.sees({ type: 'polled', value: 4, poll: 2 }, { polls: 2 })).toEqual([]);
  });

  it('gives its state to the host where the PLC wins', () => {
    const play = new Play(PLC_WINS, 9);
    expect(play.sees({ type: 'connected' })).toEqual([]);
    expect(play.reads(4)).toEqual([signIn(4)]);
    expect(play.obeys(4, 'signed-in')).toEqual([]);
  });

  it('signs out with it where the PLC wins and holds the default', () => {
    const play = new Play(PLC_WINS, 9);
    play.sees({ type: 'connected' });
    expect(play.reads(0)).toEqual([signIn(0)]);
    expect(play.sees(answered('unknown'))).toEqual([signOut]);
  });

  it('adopts what the PLC changed to during a break where the PLC wins, before a change of the host', () => {
    const play = inStep(PLC_WINS);
    play.sees({ type: 'disconnected' });
    play.host(9);
    play.sees({ type: 'connected' });
    expect(play.reads(4)).toEqual([signIn(4)]);
    expect(play.state.unwritten).toBe(false);
  });

  it('takes its own value, of a write whose answer was lost, for no edge', () => {
    const play = inStep(PLC_WINS);
    play.host(9);
    play.sees({ type: 'write-failed', lost: true });
    play.sees({ type: 'disconnected' });
    play.host(5);
    play.sees({ type: 'connected' });
    expect(play.reads(9)).toEqual([warn(9, 'late-write'), write(5)]);
  });

  it('takes its own value for no edge, even if the host has it again while a fallback user is asked for', () => {
    const play = inStep(PLC_WINS);
    play.host(5);
    play.sees({ type: 'write-failed', lost: true });
    play.sees({ type: 'disconnected' });
    expect(play.host(null)).toEqual([fillIn(0)]);
    play.sees({ type: 'connected' }, { wanted: 5, signedIn: true });
    expect(play.reads(5)).toEqual([]);
    expect(play.sees(answered('signed-in'), { wanted: 0 })).toEqual([write(0)]);
  });

  it('overwrites its own value where a PLC that hung takes it late, and only for a while', () => {
    const play = inStep(HOST_WINS);
    play.host(9);
    play.sees({ type: 'write-failed', lost: true });
    play.sees({ type: 'disconnected' });
    play.host(5);
    play.sees({ type: 'connected' });
    play.sees({ type: 'written' });
    expect(play.reads(5)).toEqual([]);
    expect(play.reads(9)).toEqual([warn(9, 'late-write'), write(5)]);
    play.sees({ type: 'written' });
    for (let count = 0; count < 20; count++) expect(play.reads(5)).toEqual([]);
    expect(play.reads(9)).toEqual([signIn(9)]);
  });

  it('overwrites an unknown value where the PLC wins', () => {
    const play = new Play(PLC_WINS, 9);
    play.sees({ type: 'connected' });
    play.reads(77);
    expect(play.sees(answered('unknown'))).toEqual([warn(77, 'unknown'), write(9)]);
  });

  it('lets a change of the host that comes after it win', () => {
    const play = inStep(PLC_WINS);
    play.sees({ type: 'disconnected' });
    play.sees({ type: 'connected' });
    expect(play.host(9)).toEqual([write(9)]);
    expect(play.sees({ type: 'polled', value: 4, poll: 2 }, { polls: 2 })).toEqual([]);
  });

  it("takes its first reading for the state of things where the host's write was refused", () => {
    const play = new Play(HOST_WINS, 9);
    play.sees({ type: 'connected' });
    play.sees({ type: 'write-failed', lost: false });
    expect(play.reads(4)).toEqual([write(9)]);
  });
});

describe('the fallback user', () => {
  it('is asked for at the start, once', () => {
    const play = new Play(HOST_WINS);
    expect(play.sees({ type: 'host-changed' })).toEqual([fillIn(0)]);
    expect(play.sees(answered('unknown'))).toEqual([]);
    expect(play.host(null)).toEqual([]);
    expect(play.sees({ type: 'connected' })).toEqual([write(0)]);
    play.sees({ type: 'written' });
    expect(play.reads(0)).toEqual([]);
  });

  it('is not asked for while anybody is signed in, with a number or without', () => {
    const play = new Play(HOST_WINS);
    expect(play.sees({ type: 'host-changed' }, { wanted: 0, signedIn: true })).toEqual([]);
  });

  it('comes back after each sign-out, and the default is written at once', () => {
    const play = inStep(HOST_WINS, 9);
    expect(play.host(null)).toEqual([write(0), fillIn(0)]);
    play.sees({ type: 'written' });
    expect(play.sees(answered('signed-in'), { signedIn: true })).toEqual([]);
    expect(play.host(9)).toEqual([write(9)]);
    play.sees({ type: 'written' });
    expect(play.host(null)).toEqual([write(0), fillIn(0)]);
  });

  it('comes back while the PLC is away', () => {
    const play = new Play(HOST_WINS, 9);
    expect(play.host(null)).toEqual([fillIn(0)]);
    expect(play.sees(answered('signed-in'), { signedIn: true })).toEqual([]);
    expect(play.host(null)).toEqual([fillIn(0)]);
  });

  it("is not asked for again by the sign-out that the PLC's default led to", () => {
    const play = inStep(HOST_WINS, 9);
    play.reads(0);
    play.sees(answered('unknown'));
    expect(play.host(null)).toEqual([]);
    expect(play.sees(answered('signed-out'))).toEqual([]);
    expect(play.reads(0)).toEqual([]);
  });

  it('who is barred is told, and nobody is signed out for it', () => {
    const play = inStep(HOST_WINS, 9);
    play.host(null);
    expect(play.sees(answered('barred'))).toEqual([warn(0, 'barred')]);
  });

  it('gives way to an edge of the PLC that comes meanwhile', () => {
    const play = new Play(PLC_WINS);
    play.sees({ type: 'host-changed' });
    play.sees({ type: 'connected' });
    expect(play.reads(4)).toEqual([]);
    expect(play.sees(answered('signed-in'), { signedIn: true })).toEqual([signIn(4)]);
  });
});

type Step =
  | { readonly do: 'plc-sets'; readonly value: number }
  | { readonly do: 'host-changes'; readonly value: number | null; readonly told: boolean }
  | { readonly do: 'poll' | 'transmit' | 'deliver' | 'door' | 'lose' | 'connect' | 'late-write' };

/** A word in a PLC, a host and a door around one link, with every delay between them. */
class World {
  readonly #settings: LinkSettings;
  readonly #users: ReadonlySet<number>;
  readonly asked: LinkAction[] = [];
  word = 0;
  current: number | null = null;
  #state: LinkState;
  #polls = 0;
  #online = false;
  #pollWaits = false;
  #writeWaits: number | null = null;
  /** What is on the wire: not yet transmitted, or transmitted with its result. */
  #wire: { poll: number; result?: number } | { value: number; done: boolean } | null = null;
  #question: LinkAction | null = null;
  /** Writes whose connection broke before the PLC took them; it may do so some polls into the next connection. */
  readonly #late: number[] = [];
  #pollsSinceConnect = 0;

  constructor(settings: LinkSettings, users: ReadonlySet<number>) {
    this.#settings = settings;
    this.#users = users;
    this.#state = initialState(this.wanted);
    this.#tell({ type: 'host-changed' });
  }

  get wanted(): number {
    return this.current ?? this.#settings.defaultValue;
  }

  take(step: Step): void {
    switch (step.do) {
      case 'plc-sets':
        this.word = step.value;
        return;
      case 'host-changes':
        this.current = step.value;
        return step.told ? this.#tell({ type: 'host-changed' }) : undefined;
      case 'poll':
        if (this.#online && !this.#pollWaits && (this.#wire === null || !('poll' in this.#wire))) {
          this.#polls += 1;
          this.#pollWaits = true;
        }
        return this.#send();
      case 'transmit':
        return this.#transmit();
      case 'deliver':
        return this.#deliver();
      case 'door':
        return this.#answer();
      case 'lose':
        return this.#lose();
      case 'connect':
        if (this.#online) return;
        this.#online = true;
        this.#pollsSinceConnect = 0;
        return this.#tell({ type: 'connected' });
      case 'late-write':
        if (this.#pollsSinceConnect < 15) this.word = this.#late.shift() ?? this.word;
        return;
    }
  }

  /** Lets everything under way come to its end, and the PLC be polled until nothing moves. */
  settle(): void {
    this.take({ do: 'connect' });
    this.#tell({ type: 'host-changed' });
    for (let round = 0; round < 20; round++) {
      for (const step of ['poll', 'transmit', 'deliver', 'transmit', 'deliver', 'door'] as const)
        this.take({ do: step });
    }
  }

  #tell(event: LinkEvent): void {
    const now = { wanted: this.wanted, signedIn: this.current !== null, polls: this.#polls };
    const { state, actions } = decide(this.#settings, this.#state, event, now);
    this.#state = state;
    for (const action of actions) this.#perform(action);
    if (!this.#online && this.#writeWaits !== null) {
      // The driver is over already, though the link was not told yet.
      this.#writeWaits = null;
      this.#tell({ type: 'write-failed', lost: true });
    }
    this.#send();
  }

  #perform(action: LinkAction): void {
    if (action.do === 'write') {
      expect(this.#writeWaits).toBeNull();
      expect(action.value).toBe(this.wanted);
      this.#writeWaits = action.value;
    } else if (action.do !== 'warn') {
      expect(this.#question).toBeNull();
      this.#question = action;
      this.asked.push(action);
    }
  }

  /** One call at a time; writes go before waiting reads. */
  #send(): void {
    if (!this.#online || this.#wire !== null) return;
    if (this.#writeWaits !== null) {
      this.#wire = { value: this.#writeWaits, done: false };
      this.#writeWaits = null;
    } else if (this.#pollWaits) {
      this.#wire = { poll: this.#polls };
      this.#pollWaits = false;
    }
  }

  #transmit(): void {
    if (this.#wire === null) return;
    if ('poll' in this.#wire) this.#wire.result ??= this.word;
    else if (!this.#wire.done) {
      this.word = this.#wire.value;
      this.#wire.done = true;
    }
  }

  #deliver(): void {
    const call = this.#wire;
    if (call === null) return;
    if ('poll' in call) {
      if (call.result === undefined) return;
      this.#wire = null;
      this.#pollsSinceConnect += 1;
      this.#tell({ type: 'polled', value: call.result, poll: call.poll });
    } else if (call.done) {
      this.#wire = null;
      this.#tell({ type: 'written' });
    }
  }

  #answer(): void {
    const question = this.#question;
    if (question === null) return;
    this.#question = null;
    const known = question.do !== 'sign-out' && 'value' in question && this.#users.has(question.value);
    if (question.do === 'fill-in' && this.current !== null) return this.#tell(answered('unchanged'));
    if (question.do === 'sign-out') this.current = null;
    else if (known) this.current = question.value;
    this.#tell(answered(question.do === 'sign-out' ? 'signed-out' : known ? 'signed-in' : 'unknown'));
  }

  #lose(): void {
    if (!this.#online) return;
    const writing = this.#writeWaits !== null || (this.#wire !== null && 'value' in this.#wire);
    if (this.#wire !== null && 'value' in this.#wire && !this.#wire.done) this.#late.push(this.#wire.value);
    this.#online = false;
    this.#wire = null;
    this.#writeWaits = null;
    this.#pollWaits = false;
    if (writing) this.#tell({ type: 'write-failed', lost: true });
    this.#tell({ type: 'disconnected' });
  }
}

const moves: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom('poll', 'transmit', 'deliver', 'door').map((name) => ({ do: name }) as Step),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('lose', 'connect', 'late-write').map((name) => ({ do: name }) as Step),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('host-changes' as const),
      value: fc.constantFrom(null, 4, 5, 9),
      told: fc.boolean(),
    }),
  },
);
const edges: fc.Arbitrary<Step> = fc.record({
  do: fc.constant('plc-sets' as const),
  value: fc.constantFrom(0, 4, 5, 9, 77),
});
const worlds = fc.record({
  settings: fc.constantFrom(HOST_WINS, PLC_WINS),
  users: fc.constantFrom(new Set([4, 5, 9]), new Set([0, 4, 5, 9])),
});

describe('what is to be written even where it stands already', () => {
  it('is written at once', () => {
    const play = inStep(HOST_WINS);
    expect(play.sees({ type: 'rewrite' })).toEqual([write(0)]);
    expect(play.sees({ type: 'written' })).toEqual([]);
  });

  it('is written after what is on its way', () => {
    const play = inStep(HOST_WINS);
    expect(play.host(9)).toEqual([write(9)]);
    expect(play.sees({ type: 'rewrite' })).toEqual([]);
    expect(play.sees({ type: 'written' })).toEqual([write(9)]);
    expect(play.sees({ type: 'written' })).toEqual([]);
  });

  it('is written when the door has answered, whatever is read meanwhile', () => {
    const play = inStep(HOST_WINS);
    play.reads(77);
    expect(play.sees({ type: 'rewrite' })).toEqual([]);
    expect(play.reads(0)).toEqual([]);
    expect(play.sees(answered('unknown'))).toContainEqual(write(0));
  });

  it('is forgotten with the connection', () => {
    const play = inStep(HOST_WINS);
    play.reads(77);
    play.sees({ type: 'rewrite' });
    play.sees({ type: 'disconnected' });
    expect(play.state.insisting).toBe(false);
  });
});

describe('a link that takes the place of another one at the same word', () => {
  function successorOf(former: Play): Play {
    const play = new Play(HOST_WINS);
    play.now = former.now;
    play.state = succeedingState(former.state);
    return play;
  }

  it('takes a change that the other one has not read for an edge', () => {
    const play = successorOf(inStep(HOST_WINS, 9));
    expect(play.sees({ type: 'host-changed' })).toEqual([]);
    expect(play.reads(4)).toEqual([signIn(4)]);
  });

  it('takes the write of the other one for no edge, however late it comes', () => {
    const former = inStep(HOST_WINS, 9);
    expect(former.host(5)).toEqual([write(5)]);
    const play = successorOf(former);
    expect(play.host(4)).toEqual([write(4)]);
    play.sees({ type: 'written' });
    expect(play.reads(5)).toEqual([warn(5, 'late-write'), write(4)]);
  });

  it('asks for its own fallback user', () => {
    const play = inStep(HOST_WINS);
    const successor = new Play({ defaultValue: 3, onConnect: 'host' });
    successor.now = { ...play.now, wanted: 3 };
    successor.state = succeedingState(play.state);
    expect(successor.sees({ type: 'host-changed' })).toEqual([write(3), fillIn(3)]);
  });
});

describe('a link, however its messages cross,', () => {
  it('ends with the PLC and the host in step', () => {
    const steps = fc.array(fc.oneof({ weight: 3, arbitrary: moves }, { weight: 1, arbitrary: edges }), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(worlds, steps, ({ settings, users }, script) => {
        const world = new World(settings, users);
        for (const step of script) world.take(step);
        world.settle();
        expect(world.word).toBe(world.wanted);
        if (users.has(0)) expect(world.current).not.toBeNull();
      }),
      { numRuns: 3000 },
    );
  });

  it('never takes its own writes for a wish of the PLC', () => {
    fc.assert(
      fc.property(worlds, fc.array(moves, { maxLength: 60 }), ({ settings, users }, script) => {
        const world = new World(settings, users);
        world.settle();
        const before = world.asked.length;
        for (const step of script) world.take(step);
        world.settle();
        // The one thing the link asks for of its own accord is the fallback user.
        expect(
          world.asked.slice(before).every((action) => action.do === 'fill-in' && action.value === 0),
        ).toBe(true);
        if (!users.has(0)) expect(world.current === null ? world.word : world.current).toBe(world.word);
      }),
      { numRuns: 3000 },
    );
  });
});
