/** Decides how a link answers the PLC's requests for a sign-in: by levels, so that whoever restarts sees where both stand; pure. */

/** What stands in the acknowledge word; 0 while there is nothing to answer. */
export const ACKNOWLEDGEMENT = {
  /** The user is signed in; for the default value: nobody is. */
  done: 1,
  /** No enabled user has this value. */
  unknown: 2,
  /** Several users have it, or it is an administrator's and the link bars those. */
  refused: 3,
  /** The host could not, or does not know any more whether it has: ask again. */
  failed: 4,
} as const;

export type Acknowledgement = (typeof ACKNOWLEDGEMENT)[keyof typeof ACKNOWLEDGEMENT];

export type RequestEvent =
  | { readonly type: 'connected' }
  /** One poll read both words. */
  | {
      readonly type: 'polled';
      readonly request: number;
      /** The acknowledge word; null while a write to it is on its way, or not seen to have arrived. */
      readonly acknowledged: number | null;
      /** The value of who is signed in now, or the default. */
      readonly standing: number;
    }
  | { readonly type: 'answered'; readonly acknowledgement: Acknowledgement };

export type RequestAction =
  /** Note the value durably, then sign its user in; report `answered`. */
  | { readonly do: 'serve'; readonly value: number }
  /** Keep the acknowledge word at this from now on. */
  | { readonly do: 'acknowledge'; readonly value: number }
  /** The noted value is over. */
  | { readonly do: 'forget' };

interface Answered {
  readonly value: number;
  readonly acknowledgement: number;
  /** The PLC holds the acknowledgement: it cannot have asked anew. */
  readonly hasArrived: boolean;
  /** The connection was made anew before that: the PLC may have asked anew meanwhile. */
  readonly isDoubtful: boolean;
}

export interface RequestState {
  /** The request that an earlier run of the host had noted; it may have been served. */
  readonly inherited: number | null;
  /** Both words were read in this run. */
  readonly hasLooked: boolean;
  /** The request word as it was last read. */
  readonly request: number;
  readonly serving: number | null;
  /** The request that has its answer, until the PLC takes it back. */
  readonly answered: Answered | null;
}

export interface RequestDecision {
  readonly state: RequestState;
  readonly actions: readonly RequestAction[];
}

/** The state of a host that has just started; `inherited` is the value that it had noted before. */
export function initialRequestState(inherited: number | null): RequestState {
  return { inherited, hasLooked: false, request: 0, serving: null, answered: null };
}

/**
 * Takes one event into account: the state after it, and what to do.
 *
 * A request is served where it stands and nothing is acknowledged. It is over when the PLC takes it back (0), or puts
 * another one in its place; the acknowledgement is 0 again before the next one is served. One that an earlier run of
 * the host took on is not served again: its answer is `done` where its user is signed in, else `failed`.
 */
export function decideRequest(state: RequestState, event: RequestEvent): RequestDecision {
  switch (event.type) {
    case 'connected':
      return { state: doubt(state), actions: [] };
    case 'polled':
      return (state.hasLooked ? polled : firstLook)({ ...state, request: event.request }, event);
    case 'answered':
      return answered(state, event.acknowledgement);
  }
}

type Polled = Extract<RequestEvent, { type: 'polled' }>;

function firstLook(before: RequestState, { acknowledged, standing }: Polled): RequestDecision {
  if (acknowledged === null) return { state: before, actions: [] };
  const { request, inherited } = before;
  const state = { ...before, hasLooked: true };
  if (request === 0) return over(state);
  // It was answered before this run; the PLC is still to take it back.
  if (acknowledged !== 0) return answer(state, request, acknowledged);
  if (request === inherited) return answer(state, request, verdictOf(request, standing));
  return { state, actions: [{ do: 'acknowledge', value: 0 }] };
}

function polled(state: RequestState, { request, acknowledged, standing }: Polled): RequestDecision {
  if (state.serving !== null) return { state, actions: [] };
  if (state.answered !== null) {
    if (state.answered.value !== request) return over(state);
    return awaitTakingBack(state, state.answered, acknowledged, standing);
  }
  if (request === 0 || acknowledged !== 0) return { state, actions: [] };
  return { state: { ...state, serving: request }, actions: [{ do: 'serve', value: request }] };
}

function awaitTakingBack(
  state: RequestState,
  given: Answered,
  acknowledged: number | null,
  standing: number,
): RequestDecision {
  if (acknowledged === given.acknowledgement) {
    return { state: { ...state, answered: { ...given, hasArrived: true } }, actions: [] };
  }
  if (!given.isDoubtful || given.acknowledgement !== ACKNOWLEDGEMENT.done) return { state, actions: [] };
  return answer(state, given.value, verdictOf(given.value, standing));
}

function answered(before: RequestState, acknowledgement: Acknowledgement): RequestDecision {
  const { serving, request } = before;
  if (serving === null) return { state: before, actions: [] };
  const state = { ...before, serving: null };
  // The PLC has taken it back meanwhile: nobody waits for this answer.
  return request === serving ? answer(state, serving, acknowledgement) : over(state);
}

/** An answer that the PLC was not seen to hold may meet a newer request of the same value. */
function doubt(state: RequestState): RequestState {
  const { answered: given } = state;
  return given === null || given.hasArrived ? state : { ...state, answered: { ...given, isDoubtful: true } };
}

function answer(state: RequestState, value: number, acknowledgement: number): RequestDecision {
  return {
    state: { ...state, answered: { value, acknowledgement, hasArrived: false, isDoubtful: false } },
    actions: [{ do: 'acknowledge', value: acknowledgement }],
  };
}

function over(state: RequestState): RequestDecision {
  return {
    state: { ...state, answered: null },
    actions: [{ do: 'acknowledge', value: 0 }, { do: 'forget' }],
  };
}

function verdictOf(value: number, standing: number): Acknowledgement {
  return value === standing ? ACKNOWLEDGEMENT.done : ACKNOWLEDGEMENT.failed;
}
