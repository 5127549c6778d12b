/** Decides what a PLC link does next: edges win, whichever side they come from; pure, so that every race is a test. */

/** What a link does about each thing that happens. */
export type LinkAction =
  /** Write the value to the PLC; report `written` or `write-failed`. */
  | { readonly do: 'write'; readonly value: number }
  /** Ask the door to sign in the user with this value; report `answered`. */
  | { readonly do: 'sign-in'; readonly value: number }
  /** The same for the fallback user, only if nobody else is signed in by then; report `answered`. */
  | { readonly do: 'fill-in'; readonly value: number }
  /** Ask the door to end the session; report `answered`. */
  | { readonly do: 'sign-out' }
  /** Tell the operator that a value from the PLC was not obeyed. */
  | { readonly do: 'warn'; readonly value: number; readonly reason: Disobedience };

export type Refusal = 'unknown' | 'barred';

/** Why a value of the PLC was not obeyed. `late-write`: it is one of ours that came after its connection broke. */
export type Disobedience = Refusal | 'late-write';

/** How the door answered; `failed`: it threw. */
export type Answer = 'signed-in' | 'unchanged' | Refusal | 'signed-out' | 'failed';

/** What happens to a link. */
export type LinkEvent =
  | { readonly type: 'host-changed' }
  | { readonly type: 'connected' }
  | { readonly type: 'disconnected' }
  /** The word was read, by the poll with this number. */
  | { readonly type: 'polled'; readonly value: number; readonly poll: number }
  | { readonly type: 'written' }
  /** `lost`: the connection went away meanwhile, so the value may or may not have reached the PLC. */
  | { readonly type: 'write-failed'; readonly lost: boolean }
  | { readonly type: 'answered'; readonly answer: Answer }
  /** Somebody wants the host's value written, even where the PLC holds it already. */
  | { readonly type: 'rewrite' };

/** How things stand when the event is looked at. */
export interface Surroundings {
  /** What the PLC should show: the current user's value, or the default. */
  readonly wanted: number;
  readonly signedIn: boolean;
  /** Number of the newest poll handed to the driver. */
  readonly polls: number;
}

export interface LinkSettings {
  readonly defaultValue: number;
  /** Who wins when a connection is made: `host` writes the host's state, `plc` adopts what the PLC holds. */
  readonly onConnect: 'host' | 'plc';
}

/** What the door is being asked: on account of the PLC, or for the fallback user because nobody is signed in. */
interface Question {
  readonly value: number;
  readonly on: 'edge' | 'fallback' | 'sign-out';
}

export interface LinkState {
  readonly online: boolean;
  readonly wanted: number;
  /** The word as it was last read or written; null when that says nothing about the present connection. */
  readonly known: number | null;
  /** `wanted` is still to be written. */
  readonly unwritten: boolean;
  /** It is to be written even where the PLC holds it. */
  readonly insisting: boolean;
  /** The value on its way to the PLC. */
  readonly writing: number | null;
  /** Polls up to this number were asked for before our last write was done: what they read is no edge. */
  readonly staleUpTo: number;
  /** The next reading is the first of a connection whose PLC wins. */
  readonly adopting: boolean;
  /** Values that were on their way when connections broke: a PLC may take one of them yet, which is no edge. */
  readonly unsure: readonly number[];
  /** For how many more polls. */
  readonly unsurePolls: number;
  readonly asking: Question | null;
  /** The PLC's latest edge that waits for the door's answer. */
  readonly next: number | null;
  /** The door was asked for a fallback user since somebody was last signed in. */
  readonly fallbackAsked: boolean;
  /** The value last refused, until the word is seen as wanted again: a program that insists is one occurrence. */
  readonly refused: number | null;
}

export interface Decision {
  readonly state: LinkState;
  readonly actions: readonly LinkAction[];
}

/** A PLC that hung works off what it had received within moments of accepting a new connection. */
const LATE_WRITE_POLLS = 20;

/** The state of a link that has seen nothing yet. */
export function initialState(wanted: number): LinkState {
  return {
    online: false,
    wanted,
    known: null,
    unwritten: false,
    insisting: false,
    writing: null,
    staleUpTo: 0,
    adopting: false,
    unsure: [],
    unsurePolls: 0,
    asking: null,
    next: null,
    fallbackAsked: false,
    refused: null,
  };
}

/**
 * The state of a link that takes the place of another one at the same word, when nothing is being asked: what that
 * one knew of the word goes on counting, so that a change which it had not read yet is an edge. A write of its own
 * that is still on its way is not.
 */
export function succeedingState(former: LinkState): LinkState {
  const { writing } = former;
  const state = { ...former, fallbackAsked: false };
  if (writing === null) return state;
  const unsure = former.unsure.includes(writing) ? former.unsure : [...former.unsure, writing];
  return { ...state, writing: null, unwritten: true, unsure, unsurePolls: LATE_WRITE_POLLS };
}

/** Takes one event into account: the state after it, and what to do, in order. */
export function decide(
  settings: LinkSettings,
  state: LinkState,
  event: LinkEvent,
  now: Surroundings,
): Decision {
  const draft: Draft = { ...state };
  const context: Context = { settings, now, actions: [] };
  if (event.type === 'disconnected') disconnected(draft);
  noticeHost(draft, context);
  take(draft, event, context);
  if (now.signedIn && draft.asking === null) draft.fallbackAsked = false;
  return { state: draft, actions: context.actions };
}

type Draft = { -readonly [Key in keyof LinkState]: LinkState[Key] };

interface Context {
  readonly settings: LinkSettings;
  readonly now: Surroundings;
  readonly actions: LinkAction[];
}

/** The host is looked at with every event, so that a late notice of its change can never undo a newer edge of the PLC. */
function noticeHost(draft: Draft, context: Context): void {
  if (context.now.wanted === draft.wanted) return;
  draft.wanted = context.now.wanted;
  draft.unwritten = true;
  // A change while connected is an edge like any other: the PLC has precedence only over what came before.
  draft.adopting = false;
  reconcile(draft, context);
}

function take(draft: Draft, event: LinkEvent, context: Context): void {
  switch (event.type) {
    case 'connected':
      return connected(draft, context);
    case 'polled':
      return polled(draft, event, context);
    case 'written':
      return written(draft, context);
    case 'write-failed':
      return writeFailed(draft, event, context);
    case 'answered':
      return answered(draft, event, context);
    case 'rewrite':
      draft.insisting = true;
      draft.adopting = false;
      return reconcile(draft, context);
    case 'host-changed':
    case 'disconnected':
      return reconcile(draft, context);
  }
}

function disconnected(draft: Draft): void {
  draft.online = false;
  draft.adopting = false;
  draft.insisting = false;
}

function connected(draft: Draft, context: Context): void {
  draft.online = true;
  draft.adopting = context.settings.onConnect === 'plc';
  draft.unsurePolls = LATE_WRITE_POLLS;
  // Whatever the PLC holds, it is to hold the host's value now, even if that seems to be there already.
  if (!draft.adopting) draft.known = null;
  reconcile(draft, context);
}

function polled(
  draft: Draft,
  { value, poll }: Extract<LinkEvent, { type: 'polled' }>,
  context: Context,
): void {
  if (draft.writing !== null) {
    // Read before our write or with it: no edge, but what the word holds should the write be refused.
    draft.known = value;
    return;
  }
  if (poll <= draft.staleUpTo) return;
  const before = draft.known;
  const firstLook = before === null && !draft.adopting;
  const own = value === before || draft.unsure.includes(value);
  draft.adopting = false;
  draft.known = value;
  draft.unsurePolls = Math.max(draft.unsurePolls - 1, 0);
  if (draft.unsurePolls === 0) draft.unsure = [];
  if (value === draft.wanted) draft.refused = null;
  else if (own && value !== before) warn(draft, value, 'late-write', context);
  if (own || firstLook) return reconcile(draft, context);
  draft.unwritten = false;
  edge(draft, value, context);
}

function written(draft: Draft, context: Context): void {
  draft.known = draft.writing;
  draft.writing = null;
  draft.staleUpTo = context.now.polls;
  reconcile(draft, context);
}

function writeFailed(
  draft: Draft,
  { lost }: Extract<LinkEvent, { type: 'write-failed' }>,
  context: Context,
): void {
  const value = draft.writing;
  draft.writing = null;
  draft.unwritten = true;
  draft.staleUpTo = context.now.polls;
  if (lost && value !== null && !draft.unsure.includes(value)) draft.unsure = [...draft.unsure, value];
  // The same value is tried again with the next poll or connection, a newer one at once.
  if (value !== draft.wanted) reconcile(draft, context);
}

/** The PLC's word changed on the PLC's account. */
function edge(draft: Draft, value: number, context: Context): void {
  if (draft.asking !== null) draft.next = value;
  else if (value !== draft.wanted) ask(draft, { value, on: 'edge' }, context);
}

function ask(draft: Draft, question: Question, { settings, actions }: Context): void {
  draft.asking = question;
  if (question.value === settings.defaultValue) draft.fallbackAsked = true;
  actions.push(actionOf(question));
}

function actionOf({ value, on }: Question): LinkAction {
  if (on === 'sign-out') return { do: 'sign-out' };
  return { do: on === 'fallback' ? 'fill-in' : 'sign-in', value };
}

function answered(
  draft: Draft,
  { answer }: Extract<LinkEvent, { type: 'answered' }>,
  context: Context,
): void {
  const question = draft.asking;
  if (question === null) return;
  draft.asking = null;
  const isDefault = question.value === context.settings.defaultValue;
  if (isRefusal(answer) && !(isDefault && answer === 'unknown')) warn(draft, question.value, answer, context);
  // The default stands for its user or, where it has none, for nobody.
  if (question.on === 'edge' && isDefault && !isObeyed(answer)) {
    return ask(draft, { value: question.value, on: 'sign-out' }, context);
  }
  const { next } = draft;
  draft.next = null;
  if (next !== null) edge(draft, next, context);
  reconcile(draft, context);
}

function isRefusal(answer: Answer): answer is Refusal {
  return answer === 'unknown' || answer === 'barred';
}

function isObeyed(answer: Answer): boolean {
  return !isRefusal(answer) && answer !== 'failed';
}

function warn(draft: Draft, value: number, reason: Disobedience, { actions }: Context): void {
  if (draft.refused === value) return;
  draft.refused = value;
  actions.push({ do: 'warn', value, reason });
}

/** Brings the PLC, and the fallback user, into step with the host; does nothing while the door is being asked. */
function reconcile(draft: Draft, context: Context): void {
  if (draft.asking !== null) return;
  if (draft.online && !draft.adopting && draft.writing === null) writeIfNeeded(draft, context);
  const question = { value: context.settings.defaultValue, on: 'fallback' } as const;
  if (!context.now.signedIn && !draft.fallbackAsked) ask(draft, question, context);
}

function writeIfNeeded(draft: Draft, { actions }: Context): void {
  draft.unwritten = draft.insisting || draft.known !== draft.wanted;
  if (!draft.unwritten) return;
  draft.insisting = false;
  draft.writing = draft.wanted;
  actions.push({ do: 'write', value: draft.wanted });
}
