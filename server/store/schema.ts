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
  must_change: Flag;
  changed_at: number;
}

export interface AppsTable {
  id: string;
  name: string;
  /** SHA-256 of the key, hex. */
  key_hash: string;
  logout_time_in_min: number;
  station: Flag;
  created_at: number;
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
}

export interface Tables {
  users: UsersTable;
  passwords: PasswordsTable;
  apps: AppsTable;
  app_users: AppUsersTable;
  sessions: SessionsTable;
  signing_keys: SigningKeysTable;
  links: LinksTable;
  audit: AuditTable;
}
