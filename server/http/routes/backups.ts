/** Backups: making one at once, and how they are. */
import type { Backups } from '../../backups/backups.ts';
import { backupSchema, backupStatusSchema } from '../contract.ts';
import { defineRoute, type Route } from '../route.ts';
import { viewBackup, viewBackupStatus } from '../views.ts';

export function backupRoutes({ backups }: { backups: Backups }): Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/api/v1/backups',
      summary: 'Where backups are made, the newest one, and why there is none',
      access: 'administrator',
      answer: backupStatusSchema,
      handle: async () => ({ status: 200, body: viewBackupStatus(await backups.look()) }),
    }),
    defineRoute({
      method: 'post',
      path: '/api/v1/backups',
      summary: 'Make a backup now; the answer comes when it is on the disk',
      access: 'administrator',
      answer: backupSchema,
      errors: ['backup-failed'],
      async handle({ caller }) {
        return { status: 200, body: viewBackup(await backups.make(caller.actor)) };
      },
    }),
  ];
}
