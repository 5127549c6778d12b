/** The audit trail, for administrators: pages of it, the filtered set as a file, and how it is. */
import type { Audit } from '../../audit/audit.ts';
import type { Capacity } from '../../audit/capacity.ts';
import { exportEntries } from '../../audit/export.ts';
import type { Forwarder } from '../../audit/forward/forward.ts';
import type { AuditFilter, AuditQuery } from '../../audit/query.ts';
import type { Backups } from '../../backups/backups.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import type { Store } from '../../store/store.ts';
import { auditExportQuerySchema, auditPageSchema, auditQuerySchema, auditStatusSchema } from '../contract.ts';
import { defineRoute, type Route } from '../route.ts';
import { instant, viewAuditPage, viewAuditStatus } from '../views.ts';

export interface AuditRoutesNeeds {
  readonly audit: Audit;
  readonly auditQuery: AuditQuery;
  readonly forwarder: Pick<Forwarder, 'status'>;
  readonly capacity: Pick<Capacity, 'status'>;
  readonly backups: Pick<Backups, 'status'>;
  readonly sessions: Pick<Sessions, 'byId'>;
  readonly store: Pick<Store, 'write'>;
  readonly clock: Clock;
}

const MEDIA_TYPES = { csv: 'text/csv', jsonl: 'application/x-ndjson' } as const;

export function auditRoutes(needs: AuditRoutesNeeds): Route[] {
  const { audit, auditQuery, forwarder, capacity, backups, sessions, store, clock } = needs;
  const status = () =>
    viewAuditStatus({
      ...audit.status(),
      capacity: capacity.status,
      copies: forwarder.status(),
      backups: backups.status,
    });

  return [
    defineRoute({
      method: 'get',
      path: '/api/v1/audit',
      summary: 'Entries of the audit trail that match every filter, newest first, page by page',
      access: 'administrator',
      query: auditQuerySchema,
      answer: auditPageSchema,
      async handle({ query: { before, limit, ...filter } }) {
        const page = await auditQuery.page(filter, { before: before ?? null, limit });
        return { status: 200, body: viewAuditPage(page) };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/api/v1/audit/export',
      summary: 'All entries that match every filter, as a file; recorded in the trail itself',
      access: 'administrator',
      query: auditExportQuerySchema,
      mediaTypes: Object.values(MEDIA_TYPES),
      async handle({ query: { format, ...filter }, caller }) {
        const last = audit.status().lastSeq;
        await store.write((writer) =>
          audit.append(writer, {
            action: 'audit-exported',
            actor: caller.actor,
            detail: { format, last, ...inText(filter) },
          }),
        );
        const { session } = caller;
        // Whoever is signed out meanwhile gets no more of it.
        const mayGoOn = (): boolean => session === null || sessions.byId(session.id) !== null;
        const day = instant(clock.now()).slice(0, 10);
        return {
          status: 200,
          download: {
            type: `${MEDIA_TYPES[format]}; charset=utf-8`,
            fileName: `keyswitch-audit-${day}.${format}`,
            pieces: exportEntries(auditQuery, filter, { format, last, mayGoOn }),
          },
        };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/api/v1/audit/status',
      summary:
        'Whether the trail is verified, checkpointed, copied and backed up, and whether there is room for it',
      access: 'administrator',
      answer: auditStatusSchema,
      handle: () => ({ status: 200, body: status() }),
    }),
    defineRoute({
      method: 'post',
      path: '/api/v1/audit/verify',
      summary: 'Start to verify the whole trail, archives included; the status tells how far it is',
      access: 'administrator',
      answer: auditStatusSchema,
      handle({ caller }) {
        // What comes of it, a failure too, is in the status.
        void audit.verify(caller.actor);
        return { status: 200, body: status() };
      },
    }),
  ];
}

function inText({ from, to, ...others }: AuditFilter): Record<string, unknown> {
  return {
    ...others,
    ...(from !== undefined && { from: instant(from) }),
    ...(to !== undefined && { to: instant(to) }),
  };
}
