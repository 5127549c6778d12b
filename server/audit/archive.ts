/** Retention: rows past their time go to a signed file, and only what is in one leaves the table. */
import { createHash } from 'node:crypto';
import {
  closeSync,
  createWriteStream,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { syncFolder } from '../config/data-folder.ts';
import { KeyswitchError, messageOf } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import { CHAIN_START, chainHash, type ChainHead } from '../store/chain.ts';
import type { Store, Writer } from '../store/store.ts';
import type { Actor, AuditRecord } from './audit.ts';
import {
  deleteArchived,
  insertArchive,
  selectArchivedEnd,
  selectFirstSince,
  selectRows,
} from './audit-store.ts';
import type { AuditKey } from './keys.ts';
import { readTrailer, segmentFile, segmentLine, trailerLine } from './segment.ts';
import { archiveText, isSigned, type Archive } from './signatures.ts';

export interface ArchiverNeeds {
  readonly store: Store;
  readonly key: AuditKey;
  readonly clock: Clock;
  append(writer: Writer, record: AuditRecord): Promise<void>;
}

export interface ArchiverOptions {
  readonly folder: string;
  /** Rows in a file at most. */
  readonly segmentRows?: number;
}

/** The steps of archiving, in their order. Each can be repeated after a power cut at any point of any of them. */
export interface Archiver {
  /** Writes the next file; null where no row is older than `before`. Rows up to `last` at most. */
  writeSegment(before: number, last: number): Promise<Archive | null>;
  /** From here on the file holds the rows: they may leave the table. */
  register(archive: Archive, actor: Actor): Promise<void>;
  /** Deletes what archives hold, a little at a time. */
  removeArchived(): Promise<void>;
}

const SEGMENT_ROWS = 50_000;
const PAGE_ROWS = 1000;
/** Deleted in one operation: it holds up a sign-in for some milliseconds at most. */
const DELETE_ROWS = 200;

export function createArchiver(needs: ArchiverNeeds, options: ArchiverOptions): Archiver {
  const { store, key, clock, append } = needs;
  const { folder, segmentRows = SEGMENT_ROWS } = options;

  async function writeSegment(before: number, last: number): Promise<Archive | null> {
    const previous = (await selectArchivedEnd(store.read)) ?? { seq: 0, hash: CHAIN_START };
    const younger = await selectFirstSince(store.aside, previous.seq, before);
    const end = Math.min(last, (younger ?? Infinity) - 1, previous.seq + segmentRows);
    if (end <= previous.seq) return null;

    const file = segmentFile(previous.seq + 1);
    const path = join(folder, file);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    refuseForeign(path, previous);
    const draft = `${path}.new`;
    const { head, entries, digest } = await writeRows(draft, previous, end);
    const content = {
      firstSeq: previous.seq + 1,
      lastSeq: head.seq,
      previousHash: previous.hash,
      lastHash: head.hash,
      entries,
      digest,
      at: clock.now(),
    };
    const signature = key.sign(archiveText(content));
    const archive: Archive = { ...content, file, keyId: key.id, signature };
    // Members of gzip follow one another (RFC 1952 section 2.2): the trailer is one of its own.
    await pipeline(
      Readable.from([trailerLine(archive)]),
      createGzip(),
      createWriteStream(draft, { flags: 'a' }),
    );
    settleFile(draft, path);
    return archive;
  }

  /** Writes the rows up to `last`, each held against its hash: what is broken is not signed anew. */
  async function writeRows(
    path: string,
    previous: ChainHead,
    last: number,
  ): Promise<{ head: ChainHead; entries: number; digest: string }> {
    const digest = createHash('sha256');
    let head = previous;
    let entries = 0;
    async function* lines(): AsyncGenerator<string> {
      while (head.seq < last) {
        const rows = await selectRows(store.aside, { after: head.seq, last, limit: PAGE_ROWS });
        if (rows.length === 0) throw broken(head.seq + 1);
        for (const row of rows) {
          if (row.seq !== head.seq + 1 || chainHash(head.hash, row) !== row.hash) throw broken(head.seq + 1);
          head = { seq: row.seq, hash: row.hash };
        }
        entries += rows.length;
        const text = rows.map(segmentLine).join('');
        digest.update(text);
        yield text;
      }
    }
    await pipeline(Readable.from(lines()), createGzip(), createWriteStream(path, { mode: 0o600 }));
    return { head, entries, digest: digest.digest('hex') };
  }

  /** A file of this name is what an archiving left that did not come to its end, or it is somebody else's. */
  function refuseForeign(path: string, previous: ChainHead): void {
    if (!existsSync(path)) return;
    try {
      const { signature, ...trailer } = readTrailer(path);
      const isOurs =
        trailer.previousHash === previous.hash &&
        isSigned(
          new Map([[key.id, key.publicKey]]),
          trailer.keyId,
          archiveText(trailer),
          Buffer.from(signature, 'base64url'),
        );
      if (isOurs) return;
    } catch {
      // not a segment at all
    }
    throw new KeyswitchError(
      'archive-unusable',
      `${path} is there already and is not an archive of this trail. Move it, or set audit.archiveFolder.`,
    );
  }

  return {
    async writeSegment(before, last) {
      try {
        return await writeSegment(before, last);
      } catch (error) {
        if (error instanceof KeyswitchError) throw error;
        const text = `${folder} cannot take an archive: ${messageOf(error)}.`;
        throw new KeyswitchError('archive-unusable', text, { cause: error });
      }
    },
    async register(archive, actor) {
      const { file, firstSeq, lastSeq, entries, keyId } = archive;
      const detail = { firstSeq, lastSeq, entries, digest: archive.digest, keyId };
      await store.write(async (writer) => {
        await insertArchive(writer, archive);
        await append(writer, { action: 'audit-archived', actor, subject: file, detail });
      });
    },
    async removeArchived() {
      const end = await selectArchivedEnd(store.read);
      if (end === null) return;
      let isMore = true;
      while (isMore) isMore = await store.write((writer) => deleteArchived(writer, end.seq, DELETE_ROWS));
    },
  };
}

function broken(seq: number): KeyswitchError {
  return new KeyswitchError(
    'audit-trail-broken',
    `The audit trail is broken at row ${seq}, so nothing is archived. keyswitch audit verify says more.`,
  );
}

/** Has the draft on disk, and then under its name. */
function settleFile(draft: string, path: string): void {
  const descriptor = openSync(draft, 'r+');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(draft, path);
  syncFolder(dirname(path));
}
