/** The audit trail as the host tells of it, for the tests of this page. */
import type { AuditEntryView, AuditPageView, AuditStatusView } from '../../server/http/contract.ts';
import { iso } from '../shared/testing.ts';

export function createEntry(seq: number, over: Partial<AuditEntryView> = {}): AuditEntryView {
  return {
    seq,
    at: iso(seq),
    action: 'sign-in',
    outcome: 'succeeded',
    actor: 'anna',
    subject: 'anna',
    app: null,
    door: 'page',
    address: null,
    reason: 'password',
    detail: {},
    hash: 'ab'.repeat(32),
    ...over,
  };
}

/** `count` entries from `newest` down. */
export function createPage(newest: number, count: number, over: Partial<AuditPageView> = {}): AuditPageView {
  const entries = Array.from({ length: count }, (_, i) => createEntry(newest - i));
  const last = newest - count + 1;
  return { entries, next: last > 1 ? last : null, searchedBackTo: null, ...over };
}

export function createStatus(over: Partial<AuditStatusView> = {}): AuditStatusView {
  return {
    entries: 250,
    lastSeq: 250,
    lastCheckpoint: null,
    archives: 0,
    verification: { state: 'never', at: null, checked: 0, total: 0, brokenSeq: null, problem: null },
    capacity: { freeMiB: 90_000, state: 'ok' },
    copies: [],
    backups: { folder: null, last: null, failure: null, overdue: true },
    ...over,
  };
}
