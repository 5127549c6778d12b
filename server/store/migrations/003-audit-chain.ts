/** The audit trail proves itself: rows chained by hashes, the sealed end of the chain, signed checkpoints and archives. */
import { sql, type Kysely } from 'kysely';
import { CHAIN_START, chainHash, type ChainHead, type ChainRow } from '../chain.ts';

/** As many as are sealed by one statement. */
const PAGE = 500;

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`drop trigger audit_no_update`.execute(db);
  await sql`drop trigger audit_no_delete`.execute(db);
  await sql`alter table audit add column hash blob`.execute(db);
  const head = await sealRows(db);

  // The first row is the only one; its MAC is made when the trail is first opened with the key.
  await sql`create table audit_head (id integer primary key check (id = 1), seq integer not null,
    hash blob not null, mac blob not null)`.execute(db);
  await sql`insert into audit_head values (1, ${head.seq}, ${Buffer.from(head.hash, 'hex')}, x'')`.execute(
    db,
  );
  await sql`create table audit_keys (id text primary key, public_pem text not null,
    private_sealed text not null, created_at bigint not null)`.execute(db);
  await sql`create table audit_checkpoints (seq integer primary key, hash blob not null, at bigint not null,
    key_id text not null references audit_keys (id), signature blob not null)`.execute(db);
  await sql`create table audit_archives (last_seq integer primary key, first_seq integer not null,
    previous_hash blob not null, last_hash blob not null, entries integer not null, file text not null,
    digest blob not null, at bigint not null, key_id text not null references audit_keys (id),
    signature blob not null)`.execute(db);

  for (const column of ['subject', 'actor', 'app', 'action']) {
    await sql`create index ${sql.ref(`audit_${column}`)} on audit (${sql.ref(column)}, seq)`.execute(db);
  }

  // 21 CFR 11.10(e): an entry is never changed or obscured, not even by a defect of ours.
  for (const table of ['audit', 'audit_checkpoints', 'audit_archives', 'audit_keys']) {
    await sql`create trigger ${sql.ref(`${table}_no_update`)} before update on ${sql.ref(table)}
      begin select raise(abort, 'the audit trail is append-only'); end`.execute(db);
  }
  for (const table of ['audit_checkpoints', 'audit_archives', 'audit_keys']) {
    await sql`create trigger ${sql.ref(`${table}_no_delete`)} before delete on ${sql.ref(table)}
      begin select raise(abort, 'the audit trail is append-only'); end`.execute(db);
  }
  // What an archive holds may leave the table. Archives follow one another without a gap.
  await sql`create trigger audit_no_delete before delete on audit
    when old.seq > (select coalesce(max(last_seq), 0) from audit_archives)
    begin select raise(abort, 'the audit trail is append-only'); end`.execute(db);
}

/** Chains the rows that are there, numbered as they are; tells where the chain ends. */
async function sealRows(db: Kysely<unknown>): Promise<ChainHead> {
  let head: ChainHead = { seq: 0, hash: CHAIN_START };
  for (;;) {
    const { rows } = await sql<ChainRow>`select seq, at, action, actor, subject, app, door, address, reason,
      detail from audit where seq > ${head.seq} order by seq limit ${PAGE}`.execute(db);
    if (rows.length === 0) return head;
    const hashes = rows.map((row) => {
      head = { seq: row.seq, hash: chainHash(head.hash, row) };
      return sql`(${row.seq}, ${Buffer.from(head.hash, 'hex')})`;
    });
    await sql`update audit set hash = sealed.column2 from (values ${sql.join(hashes)}) as sealed
      where audit.seq = sealed.column1`.execute(db);
  }
}
