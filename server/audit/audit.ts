/** The audit trail: who did what to whom, where, when and why; written in the transaction of what it records. */
import type { Clock } from '../ports/clock.ts';
import type { Reader, Writer } from '../store/store.ts';
import { appendEntry, readEntries } from './audit-store.ts';

/** Where a request came in. */
export type DoorName = 'api' | 'page' | 'iauth' | 'websocket' | 'plc' | 'desktop' | 'command-line' | 'host';

/** Who acts, and from where. */
export interface Actor {
  /** A user's name; or `host`, `command line`, `PLC link <id>`, `anonymous` for those who are no user. */
  readonly name: string;
  readonly door: DoorName;
  /** Remote address, where there is one. */
  readonly address: string | null;
}

/** The house itself, for what happens because time has passed. */
export const HOST_ACTOR: Actor = { name: 'host', door: 'host', address: null };

export type AuditAction =
  | 'host-started'
  | 'host-stopped'
  | 'sign-in'
  | 'sign-in-refused'
  | 'session-ended'
  | 'password-changed'
  | 'user-added'
  | 'user-changed'
  | 'app-added'
  | 'app-user-granted'
  | 'link-added'
  | 'signing-key-added';

export interface AuditRecord {
  readonly action: AuditAction;
  readonly actor: Actor;
  /** The user or thing it is about; never a name that was typed but belongs to nobody: it may be a password. */
  readonly subject?: string | null;
  readonly app?: string | null;
  readonly reason?: string | null;
  /** Further values, before and after; never a secret. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

export interface AuditEntry {
  readonly seq: number;
  /** Milliseconds since the epoch, UTC. */
  readonly at: number;
  readonly action: AuditAction;
  readonly actor: string;
  readonly subject: string | null;
  readonly app: string | null;
  readonly door: DoorName;
  readonly address: string | null;
  readonly reason: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface Audit {
  /** Appends inside the caller's transaction: both are on disk, or neither. */
  append(writer: Writer, record: AuditRecord): Promise<void>;
  /** The newest `limit` entries, newest first. */
  newest(limit: number): Promise<AuditEntry[]>;
}

export function createAudit({ read, clock }: { read: Reader; clock: Clock }): Audit {
  return {
    append: (writer, record) => appendEntry(writer, clock.now(), record),
    newest: (limit) => readEntries(read, limit),
  };
}
