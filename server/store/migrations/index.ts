/** Every migration in its order; one that has shipped is never edited, a new one is added. */
import type { Migration } from 'kysely/migration';
import * as spine from './001-spine.ts';
import * as credentials from './002-credentials.ts';
import * as auditChain from './003-audit-chain.ts';
import * as lockout from './004-lockout.ts';
import * as emergency from './005-emergency.ts';
import * as auditForward from './006-audit-forward.ts';
import * as plcLinks from './007-plc-links.ts';
import * as desktop from './008-desktop.ts';

export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '001-spine': spine,
  '002-credentials': credentials,
  '003-audit-chain': auditChain,
  '004-lockout': lockout,
  '005-emergency': emergency,
  '006-audit-forward': auditForward,
  '007-plc-links': plcLinks,
  '008-desktop': desktop,
};
