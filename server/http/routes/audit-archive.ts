/** Moving old rows of the audit trail to archives at once, for the command line. */
import { z } from 'zod';
import type { Audit } from '../../audit/audit.ts';
import { defineRoute, type Route } from '../route.ts';

export function auditArchiveRoutes({ audit }: { audit: Audit }): Route[] {
  return [
    defineRoute({
      method: 'post',
      path: '/api/v1/audit/archive',
      summary: 'Move the rows that are older than the retention time to signed archive files',
      access: 'administrator',
      answer: z.object({ rows: z.int().meta({ description: 'How many were moved' }) }),
      errors: ['audit-trail-broken', 'archive-unusable'],
      async handle({ caller }) {
        return { status: 200, body: { rows: await audit.archive(caller.actor) } };
      },
    }),
  ];
}
