/** A segment of the trail in a file: gzip (RFC 1952) over JSON Lines, a row each, the last line signed. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { ChainRow } from '../store/chain.ts';
import type { Archive } from './signatures.ts';
import { ArchiveFault, type ChainedRow } from './verify.ts';

/** More than any segment is, unpacked: what claims more is not one of ours. */
const MOST_BYTES = 256 * 2 ** 20;

/** The last line: what is signed, and the signature, in base64url. */
export interface Trailer extends Omit<Archive, 'signature' | 'file'> {
  readonly archive: 1;
  readonly signature: string;
}

/** Named after its first row: to write a segment again is to write the same file. */
export function segmentFile(firstSeq: number): string {
  return `audit-${String(firstSeq).padStart(12, '0')}.jsonl.gz`;
}

export function segmentLine(row: ChainRow & { readonly hash: string }): string {
  const { seq, at, action, actor, subject, app, door, address, reason, detail, hash } = row;
  return `${JSON.stringify({ seq, at, action, actor, subject, app, door, address, reason, detail, hash })}\n`;
}

export function trailerLine({ file: _file, signature, ...signed }: Archive): string {
  const trailer: Trailer = {
    archive: 1,
    ...signed,
    signature: Buffer.from(signature).toString('base64url'),
  };
  return `${JSON.stringify(trailer)}\n`;
}

/**
 * Reads the rows of a segment at `path`, and after the last of them holds the file against what `archive` says.
 * Throws an ArchiveFault: `archive-missing` where it cannot be read, else `archive-changed`.
 */
export function* readSegment(path: string, archive: Archive): Generator<ChainedRow> {
  const { lines, last } = unpack(path);
  const digest = createHash('sha256');
  for (const line of lines) {
    digest.update(`${line}\n`);
    yield parse<ChainedRow>(line, path);
  }
  const isSame = digest.digest('hex') === archive.digest && `${last}\n` === trailerLine(archive);
  if (!isSame) throw new ArchiveFault('archive-changed', `${path} is not what was signed`);
}

/** What the last line of the file says; it has yet to be believed. */
export function readTrailer(path: string): Trailer {
  return parse<Trailer>(unpack(path).last, path);
}

function unpack(path: string): { lines: string[]; last: string } {
  let packed: Buffer;
  try {
    packed = readFileSync(path);
  } catch (error) {
    throw new ArchiveFault('archive-missing', `${path} cannot be read`, error);
  }
  try {
    const text = gunzipSync(packed, { maxOutputLength: MOST_BYTES }).toString('utf8');
    const lines = text.split('\n');
    if (lines.pop() !== '') throw new Error('the last line has no end');
    const last = lines.pop();
    if (last === undefined) throw new Error('there is no line');
    return { lines, last };
  } catch (error) {
    throw new ArchiveFault('archive-changed', `${path} is damaged`, error);
  }
}

function parse<Value>(line: string, path: string): Value {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new ArchiveFault('archive-changed', `${path} is damaged`, error);
  }
  if (typeof value !== 'object' || value === null) {
    throw new ArchiveFault('archive-changed', `${path} is damaged`);
  }
  return value as Value;
}
