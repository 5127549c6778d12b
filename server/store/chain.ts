/** The chain of the audit trail: the canonical form of a row, its hash over the one before, and the seal of the end. */
import { createHmac, hash, timingSafeEqual } from 'node:crypto';

/** What is recorded of an event, as it stands in the table. */
export interface ChainContent {
  readonly at: number;
  readonly action: string;
  readonly actor: string;
  readonly subject: string | null;
  readonly app: string | null;
  readonly door: string;
  readonly address: string | null;
  readonly reason: string | null;
  /** JSON, as text: hashed as it is stored, so that nobody need agree on how it is written. */
  readonly detail: string;
}

export interface ChainRow extends ChainContent {
  readonly seq: number;
}

/** The end of the chain. */
export interface ChainHead {
  /** 0: nothing has been recorded yet. */
  readonly seq: number;
  /** Of the row with this number, hex. */
  readonly hash: string;
}

/** What stands in the place of the hash before the first row. */
export const CHAIN_START = '0'.repeat(64);

/** The row as a JSON array in the order of the columns: what `jq -c` prints of the same array. */
export function canonicalForm(row: ChainRow): string {
  const { seq, at, action, actor, subject, app, door, address, reason, detail } = row;
  return JSON.stringify([seq, at, action, actor, subject, app, door, address, reason, detail]);
}

/** SHA-256 (FIPS 180-4), in hex, over the hash before in hex, a line feed, and the canonical form. */
export function chainHash(previous: string, row: ChainRow): string {
  return hash('sha256', `${previous}\n${canonicalForm(row)}`, 'hex');
}

/** HMAC-SHA-256 (RFC 2104) over the end of the chain: who has the database alone cannot make it. */
export function sealOf(key: Uint8Array, { seq, hash: hex }: ChainHead): Buffer {
  return createHmac('sha256', key).update(`${seq}\n${hex}`).digest();
}

export function isSealGood(key: Uint8Array, head: ChainHead, seal: Uint8Array): boolean {
  const good = sealOf(key, head);
  return seal.length === good.length && timingSafeEqual(seal, good);
}
