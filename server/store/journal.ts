/** The journal at its table: gives each row its number and its hash, and seals the end; within the SQLite thread. */
import type Database from 'better-sqlite3';
import { chainHash, sealOf, type ChainContent, type ChainHead } from './chain.ts';

export interface Journal {
  /** Goes on from `head`; nothing can be appended before. */
  start(head: ChainHead, key: Uint8Array): void;
  /** Adds rows in the present transaction and tells where the chain would end; `accept` that when it is committed. */
  append(rows: readonly ChainContent[]): ChainHead;
  accept(head: ChainHead): void;
}

export function createJournal(database: Database.Database): Journal {
  // What the thread remembers counts, not what the table says meanwhile: nobody else writes to the chain.
  let state: { readonly head: ChainHead; readonly key: Uint8Array } | null = null;
  const prepare = once(() => ({
    insert: database.prepare(
      `insert into audit (seq, at, action, actor, subject, app, door, address, reason, detail, hash)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    seal: database.prepare('update audit_head set seq = ?, hash = ?, mac = ?'),
    timeOf: database.prepare('select at from audit where seq = ?').pluck(),
    // Where the clock was set back: whoever looks for a time by halving must know.
    seam: database.prepare('insert into audit_seams (seq, at, at_before) values (?, ?, ?)'),
  }));

  return {
    start(head, key) {
      state = { head, key };
    },
    append(rows) {
      if (state === null) throw new Error('the journal has not been started');
      const { insert, seal, timeOf, seam } = prepare();
      let { seq, hash } = state.head;
      let before = (timeOf.get(seq) as number | undefined) ?? -Infinity;
      for (const content of rows) {
        seq += 1;
        hash = chainHash(hash, { seq, ...content });
        const { at, action, actor, subject, app, door, address, reason, detail } = content;
        const bytes = Buffer.from(hash, 'hex');
        insert.run(seq, at, action, actor, subject, app, door, address, reason, detail, bytes);
        if (at < before) seam.run(seq, at, before);
        before = at;
      }
      const head = { seq, hash };
      seal.run(seq, Buffer.from(hash, 'hex'), sealOf(state.key, head));
      return head;
    },
    accept(head) {
      if (state !== null) state = { ...state, head };
    },
  };
}

function once<Value>(make: () => Value): () => Value {
  let made: Value | undefined;
  return () => (made ??= make());
}
