/** Every migration in its order; one that has shipped is never edited, a new one is added. */
import type { Migration } from 'kysely/migration';
import * as spine from './001-spine.ts';

export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '001-spine': spine,
};
