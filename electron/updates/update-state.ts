/** How far an update is: from looking for one to leaving for it, as a pure machine; and when nobody is in its way. */
import type { ErrorCode } from '../../server/errors.ts';
import type { Session } from '../../server/sessions/session.ts';
import { isNewer, type Artefact } from './manifest.ts';

export interface UpdateState {
  /** `leaving`: the new version is in place, or takes over; this process ends. */
  readonly doing: 'nothing' | 'looking' | 'staging' | 'counting' | 'installing' | 'leaving';
  readonly staged: Staged | null;
  /** Of the last look, or of the installation of what is staged. */
  readonly failure: Failure | null;
}

/** On the disk, whole and signed. */
export interface Staged {
  readonly version: string;
  readonly artefact: Artefact;
  readonly file: string;
}

export interface Failure {
  readonly of: 'looking' | 'installing';
  readonly code: ErrorCode;
}

export type UpdateEvent =
  | { readonly type: 'look' }
  /** The release that the source has, and the version of this program. */
  | { readonly type: 'found'; readonly version: string; readonly own: string }
  | { readonly type: 'staged'; readonly staged: Staged }
  | { readonly type: 'failed'; readonly code: ErrorCode }
  | { readonly type: 'way'; readonly isClear: boolean }
  /** An administrator wants it now. */
  | { readonly type: 'asked' }
  | { readonly type: 'counted-down' }
  | { readonly type: 'installed' };

export const IDLE: UpdateState = { doing: 'nothing', staged: null, failure: null };

/** What does not fit to what is being done changes nothing. */
export function next(state: UpdateState, event: UpdateEvent): UpdateState {
  const { doing, staged, failure } = state;
  switch (event.type) {
    case 'look':
      return doing === 'nothing' ? { ...state, doing: 'looking' } : state;
    case 'found':
      return doing === 'looking' ? found(state, event.version, event.own) : state;
    case 'staged':
      return doing === 'staging' ? { doing: 'nothing', staged: event.staged, failure: null } : state;
    case 'failed':
      return failed(state, event.code);
    case 'way':
      if (doing === 'counting' && !event.isClear) return { ...state, doing: 'nothing' };
      // What was refused once is not put before people again by itself.
      return event.isClear && doing === 'nothing' && staged !== null && failure?.of !== 'installing'
        ? { ...state, doing: 'counting' }
        : state;
    case 'asked':
      return (doing === 'nothing' || doing === 'counting') && staged !== null
        ? { ...state, doing: 'installing' }
        : state;
    case 'counted-down':
      return doing === 'counting' ? { ...state, doing: 'installing' } : state;
    case 'installed':
      return doing === 'installing' ? { ...state, doing: 'leaving', failure: null } : state;
  }
}

/** A source that has gone back to another release means it: what was staged before is not installed any more. */
function found(state: UpdateState, version: string, own: string): UpdateState {
  if (!isNewer(version, own)) return IDLE;
  if (version !== state.staged?.version) return { ...state, doing: 'staging' };
  return { ...state, doing: 'nothing', failure: state.failure?.of === 'installing' ? state.failure : null };
}

function failed(state: UpdateState, code: ErrorCode): UpdateState {
  switch (state.doing) {
    case 'looking':
    case 'staging':
      // What was staged last stays, unless what follows it has taken its place already.
      return {
        doing: 'nothing',
        staged: state.doing === 'staging' ? null : state.staged,
        failure: state.failure?.of === 'installing' ? state.failure : { of: 'looking', code },
      };
    case 'installing':
      return {
        doing: 'nothing',
        // It is not on the disk any more as it was signed: the next look brings it anew.
        staged: code === 'update-mismatch' ? null : state.staged,
        failure: { of: code === 'update-mismatch' ? 'looking' : 'installing', code },
      };
    default:
      return state;
  }
}

/** Whether nobody is in the way of an update that comes by itself, and of one that an administrator asks for. */
export function wayFor(
  sessions: readonly Session[],
  stationId: string,
  whileSignedIn: boolean,
): { readonly byItself: boolean; readonly asked: boolean } {
  // Whatever else is allowed: nobody is to wait for a program in an emergency.
  if (sessions.some(({ emergencyReason }) => emergencyReason !== null))
    return { byItself: false, asked: false };
  const others = sessions.filter(({ app, user }) => app?.id !== stationId || user.type !== 'Admin');
  return {
    byItself: whileSignedIn || sessions.length === 0,
    asked: whileSignedIn || others.length === 0,
  };
}
