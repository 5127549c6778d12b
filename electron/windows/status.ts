/** What a status page says: that the host starts, why there is none, or that its page cannot be shown. */
import { KeyswitchError, messageOf, type ErrorCode } from '../../server/errors.ts';
import type { Action, StatusPage } from './status-page.ts';
import type { Text } from '../text.ts';

/** The failures of a start that have a page of their own. */
type Named = Extract<ErrorCode, keyof Text['cannotStart']>;

export function starting(text: Text): StatusPage {
  return page(text, { title: text.starting, advice: [], ways: [], isWaiting: true });
}

/** Why there is no host, and what to do; `ways` are those that are open to whoever stands there. */
export function startFailed(error: unknown, text: Text, ways: readonly Action[]): StatusPage {
  const { title, advice } = isNamed(error, text) ? text.cannotStart[error.code] : text.cannotStart.internal;
  return page(text, { title, advice, ways, details: detailsOf(error) });
}

export function pageFailed(text: Text): StatusPage {
  return page(text, { ...text.pageFailed, ways: ['try-again'] });
}

interface Said {
  readonly title: string;
  readonly advice: readonly string[];
  readonly ways: readonly Action[];
  readonly details?: readonly string[];
  readonly isWaiting?: boolean;
}

function page(text: Text, { ways, details = [], isWaiting = false, ...said }: Said): StatusPage {
  return {
    ...said,
    language: text.language,
    details,
    detailsHeading: text.details,
    ways: ways.map((action) => ({ action, label: text.ways[action] })),
    isWaiting,
  };
}

function isNamed(error: unknown, { cannotStart }: Text): error is KeyswitchError & { code: Named } {
  return error instanceof KeyswitchError && Object.hasOwn(cannotStart, error.code);
}

/** The message, or where it is a heading over faults, these; a defect's stack is for the log. */
function detailsOf(error: unknown): string[] {
  if (!(error instanceof KeyswitchError) || error.faults.length === 0) return [messageOf(error)];
  return error.faults.map(({ field, message }) => `${field}: ${message}`);
}
