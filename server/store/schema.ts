/** The tables as Kysely sees them; the migrations make exactly these. Times are milliseconds since the epoch, UTC. */
import type { Generated, ColumnType } from 'kysely';

/** 0 or 1: SQLite has no boolean, and the same migrations serve PostgreSQL. */
export type Flag = number;

export interface UsersTable {
  id: string;
  name: string;
  display_name: string;
  type: string;
  enabled: Flag;
  logout_time_in_min: number | null;
  created_at: number;
  changed_at: number;
}

export interface PasswordsTable {
  user_id: string;
  /** PHC string: parameters, salt and digest. */
  hash: string;
  /** A one-time secret. */
  must_change: Flag;
  changed_at: number;
  /** When a one-time secret is over; null: not by time. */
  expires_at: number | null;
}

/** Passwords that were replaced, and may not come back yet. */
export interface PasswordHistoryTable {
  seq: Generated<number>;
  user_id: string;
  hash: string;
  replaced_at: number;
}

export interface AppsTable {
  id: string;
  name: string;
  /** SHA-256 of the key, hex. */
  key_hash: string;
  logout_time_in_min: number;
  station: Flag;
  created_at: number;
  idle_limit_in_min: number | null;
}

export interface AppUsersTable {
  app_id: string;
  user_id: string;
  data: string;
}

export interface SessionsTable {
  id: string;
  kind: string;
  user_id: string;
  app_id: string | null;
  role: string;
  opened_at: number;
  expires_at: number;
  idle_timeout_ms: number | null;
  active_at: number;
  door: string;
  address: string | null;
  /** SHA-256 of the cookie's secret, hex; null for other presentations. */
  cookie_hash: string | null;
  /** Identifier (`jti`) of the only refresh token that is still good. */
  refresh_id: string | null;
  ended_at: number | null;
  end_reason: string | null;
  /** Why the envelope of an emergency account was opened. */
  emergency_reason: string | null;
}

export interface EmergencyAccountsTable {
  user_id: string;
  /** SHA-256 of the code in the envelope, hex. */
  secret_hash: string;
  sealed_at: number;
  used_at: number | null;
}

export interface BadgesTable {
  id: string;
  user_id: string;
  /** HMAC-SHA256 of the number, hex: numbers are short, and a bare hash of one is found by trying. */
  number_hash: string;
  label: string;
  enrolled_at: number;
  revoked_at: number | null;
}

export interface PinsTable {
  user_id: string;
  /** PHC string, as of a password. */
  hash: string;
  changed_at: number;
  /** Wrong ones in a row. */
  failures: number;
}

export interface LockoutCountersTable {
  key: string;
  kind: string;
  user_id: string | null;
  /** The address, of IPv6 its /64; null for an account. */
  place: string | null;
  failures: number;
  since: number;
  /** When the bar ends; null where there is none, or only an administrator ends it. */
  until: number | null;
  locked: Flag;
}

export interface LockoutPlacesTable {
  user_id: string;
  place: string;
  pair: string;
  seen_at: number;
}

export interface SigningKeysTable {
  id: string;
  public_jwk: string;
  /** The private JWK, encrypted with a key derived from SECRET_PWD_KEY. */
  private_sealed: string;
  created_at: number;
  signs_from: number;
  signs_until: number;
  verifies_until: number;
}

export interface LinksTable {
  id: string;
  connection: string;
  area: string;
  address: string;
  app_id: string;
  default_value: number;
  on_connect: string;
  allow_admin: Flag;
  created_at: number;
  life_bit: string | null;
  user_name: string | null;
  sign_in_time: string | null;
  request: string | null;
  acknowledge: string | null;
  /** The value of the request that the host has taken on, until the PLC takes it back. */
  request_taken: number | null;
}

export interface AuditTable {
  seq: Generated<number>;
  at: number;
  action: string;
  actor: string;
  subject: string | null;
  app: string | null;
  door: string;
  address: string | null;
  reason: string | null;
  /** JSON object of what else is known: the values before and after a change. */
  detail: ColumnType<string, string, never>;
  /** SHA-256 over the row and the hash of the one before (chain.ts); the journal adds it. */
  hash: ColumnType<Uint8Array | null, Uint8Array | undefined, never>;
}

/** One row: where the chain ends, sealed with a key that is not in the database. */
export interface AuditHeadTable {
  id: number;
  seq: number;
  hash: Uint8Array;
  /** HMAC-SHA-256; empty until the trail is first opened with the key. */
  mac: Uint8Array;
}

export interface AuditKeysTable {
  id: string;
  public_pem: string;
  /** The private JWK, encrypted with a key derived from SECRET_PWD_KEY. */
  private_sealed: string;
  created_at: number;
}

export interface AuditCheckpointsTable {
  seq: number;
  hash: Uint8Array;
  at: number;
  key_id: string;
  signature: Uint8Array;
}

/** A segment of the trail that is kept in a file. */
export interface AuditArchivesTable {
  last_seq: number;
  first_seq: number;
  /** Of the row before the first. */
  previous_hash: Uint8Array;
  last_hash: Uint8Array;
  entries: number;
  /** Name in the archive folder. */
  file: string;
  /** SHA-256 of its lines but the last, unpacked. */
  digest: Uint8Array;
  at: number;
  key_id: string;
  signature: Uint8Array;
}

export interface AuditCursorsTable {
  /** Who goes through the trail: a target that it is copied to, or the search for seams. */
  name: string;
  /** The last entry that is done. */
  seq: number;
}

/** Entries whose time is before that of the entry before them: the clock was set back. */
export interface AuditSeamsTable {
  seq: number;
  at: number;
  at_before: number;
}

export interface Tables {
  users: UsersTable;
  passwords: PasswordsTable;
  password_history: PasswordHistoryTable;
  apps: AppsTable;
  app_users: AppUsersTable;
  sessions: SessionsTable;
  emergency_accounts: EmergencyAccountsTable;
  badges: BadgesTable;
  pins: PinsTable;
  lockout_counters: LockoutCountersTable;
  lockout_places: LockoutPlacesTable;
  signing_keys: SigningKeysTable;
  links: LinksTable;
  audit: AuditTable;
  audit_head: AuditHeadTable;
  audit_keys: AuditKeysTable;
  audit_checkpoints: AuditCheckpointsTable;
  audit_archives: AuditArchivesTable;
  audit_cursors: AuditCursorsTable;
  audit_seams: AuditSeamsTable;
}
