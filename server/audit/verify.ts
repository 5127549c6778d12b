/** Verifies the trail: walks archives and rows in their order and names the first that is not as it was written. */
import { CHAIN_START, chainHash, isSealGood, type ChainHead, type ChainRow } from '../store/chain.ts';
import {
  archiveText,
  checkpointText,
  isSigned,
  type Archive,
  type Checkpoint,
  type PublicKeys,
} from './signatures.ts';

/** A row with the hash that stands beside it, hex; null where none does. */
export type ChainedRow = ChainRow & { readonly hash: string | null };

/** Where the trail is read from: everything in the order of the numbers, as of one moment. */
export interface TrailSource {
  rows(): Iterable<ChainedRow>;
  checkpoints(): Iterable<Checkpoint>;
  archives(): Iterable<Archive>;
  /** Reads a segment, row by row; throws an ArchiveFault where it is missing or not what was signed. */
  openArchive(archive: Archive): Iterable<ChainedRow>;
  head(): ChainHead & { readonly mac: Uint8Array };
}

export interface VerifyOptions {
  /** Those whose signatures count. */
  readonly keys: PublicKeys;
  /** Seals the end of the chain; null where it is not known: then the end is held by the last checkpoint alone. */
  readonly sealKey: Uint8Array | null;
  /** A checkpoint that was noted elsewhere: the row must have this hash. */
  readonly expected?: ChainHead | null;
  /** Called every now and then with the number of rows that have been checked. */
  readonly onProgress?: (checked: number) => void;
}

export type Problem =
  | 'edited'
  | 'missing'
  | 'inserted'
  | 'reordered'
  | 're-hashed'
  | 'cut-off'
  | 'added-at-the-end'
  | 'seal-broken'
  | 'checkpoint-forged'
  | 'archive-missing'
  | 'archive-changed'
  | 'not-as-expected';

export interface Breach {
  /** The first row that is not as it was written. */
  readonly seq: number;
  readonly problem: Problem;
  /** The last checkpoint before it that holds: so far the trail is proven. 0: there is none. */
  readonly provenTo: number;
}

export interface Verdict {
  /** Null: the trail is intact. */
  readonly breach: Breach | null;
  /** Rows checked, those in archives included. */
  readonly checked: number;
  readonly archived: number;
  readonly lastSeq: number;
  readonly checkpoints: number;
  readonly lastCheckpoint: Checkpoint | null;
  /** Whether the seal of the end was checked too. */
  readonly isEndSealed: boolean;
}

/** An archive that cannot be read to its end. */
export class ArchiveFault extends Error {
  override readonly name = 'ArchiveFault';
  readonly problem: 'archive-missing' | 'archive-changed';

  constructor(problem: ArchiveFault['problem'], message: string, cause?: unknown) {
    super(message, { cause });
    this.problem = problem;
  }
}

/** Ends the walk at the first fault. */
class Broken extends Error {
  readonly seq: number;
  readonly problem: Problem;

  constructor(seq: number, problem: Problem) {
    super(`row ${seq}: ${problem}`);
    this.seq = seq;
    this.problem = problem;
  }
}

const PROGRESS_ROWS = 5000;
/** How far a row that is not in its place is looked for. */
const SEARCH_ROWS = 20_000;

/** Walks the whole trail. Throws only where it cannot be read. */
export function verifyTrail(source: TrailSource, options: VerifyOptions): Verdict {
  const walk = createWalk(source, options);
  let breach: Breach | null = null;
  try {
    const rows = peekable(source.rows());
    walkArchives(source, options, walk, rows);
    for (let row = rows.take(); row !== undefined; row = rows.take()) walk.step(row, rows.rest);
    walk.end();
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    breach = { seq: error.seq, problem: error.problem, provenTo: walk.proven()?.seq ?? 0 };
  }
  return { breach, ...walk.result() };
}

interface Walk {
  /** Where it stands. */
  head(): ChainHead;
  /** Takes the next row; `following` are those after it, for a look at what became of it. */
  step(row: ChainedRow, following: Iterable<ChainedRow>): void;
  archived(): void;
  end(): void;
  /** The last checkpoint that holds. */
  proven(): Checkpoint | null;
  result(): Omit<Verdict, 'breach'>;
}

function createWalk(source: TrailSource, { keys, sealKey, expected, onProgress }: VerifyOptions): Walk {
  const checkpoints = peekable(source.checkpoints());
  const { mac, ...head } = source.head();
  let seq = 0;
  let hash = CHAIN_START;
  let checked = 0;
  let archived = 0;
  let count = 0;
  let proven: Checkpoint | null = null;

  function meetCheckpoint(): void {
    const checkpoint = checkpoints.peek();
    if (checkpoint === undefined || checkpoint.seq > seq) return;
    checkpoints.take();
    if (!isSigned(keys, checkpoint.keyId, checkpointText(checkpoint), checkpoint.signature)) {
      throw new Broken(checkpoint.seq, 'checkpoint-forged');
    }
    // One for a number that no row has ends here too: the rows were checked, and there is none.
    if (checkpoint.seq !== seq || checkpoint.hash !== hash) {
      throw new Broken((proven?.seq ?? 0) + 1, 're-hashed');
    }
    proven = checkpoint;
    count += 1;
  }

  return {
    head: () => ({ seq, hash }),
    step(row, following) {
      if (row.seq !== seq + 1) throw new Broken(seq + 1, becameOfMissing(seq + 1, hash, row, following));
      const next = chainHash(hash, row);
      if (next !== row.hash) throw new Broken(row.seq, becameOfChanged(row, hash, following));
      seq = row.seq;
      hash = next;
      checked += 1;
      if (seq === expected?.seq && hash !== expected.hash) throw new Broken(seq, 'not-as-expected');
      meetCheckpoint();
      if (checked % PROGRESS_ROWS === 0) onProgress?.(checked);
    },
    archived: () => void (archived = checked),
    end() {
      const later = checkpoints.peek()?.seq ?? 0;
      if (seq < Math.max(head.seq, later, expected?.seq ?? 0)) throw new Broken(seq + 1, 'cut-off');
      if (seq > head.seq) throw new Broken(head.seq + 1, 'added-at-the-end');
      const firstUnproven = Math.min((proven?.seq ?? 0) + 1, Math.max(seq, 1));
      if (hash !== head.hash) throw new Broken(firstUnproven, 're-hashed');
      if (sealKey !== null && !isSealGood(sealKey, head, mac)) throw new Broken(firstUnproven, 'seal-broken');
    },
    proven: () => proven,
    result: () => ({
      checked,
      archived,
      lastSeq: seq,
      checkpoints: count,
      lastCheckpoint: proven,
      isEndSealed: sealKey !== null,
    }),
  };
}

/** Goes through the archives; rows that are still in the table although an archive holds them must be the same. */
function walkArchives(
  source: TrailSource,
  { keys }: VerifyOptions,
  walk: Walk,
  rows: Peekable<ChainedRow>,
): void {
  for (const archive of source.archives()) {
    const { seq, hash } = walk.head();
    if (archive.firstSeq !== seq + 1) throw new Broken(seq + 1, 'archive-missing');
    const isGood =
      archive.previousHash === hash && isSigned(keys, archive.keyId, archiveText(archive), archive.signature);
    if (!isGood) throw new Broken(seq + 1, 'archive-changed');
    try {
      for (const row of source.openArchive(archive)) {
        walk.step(row, []);
        compareWithTable(row, rows);
      }
    } catch (error) {
      if (!(error instanceof ArchiveFault)) throw error;
      // Where every row is right and yet the file is not, no row of it can be named but the first.
      const next = walk.head().seq + 1;
      throw new Broken(next > archive.lastSeq ? archive.firstSeq : next, error.problem);
    }
    const { seq: last, hash: lastHash } = walk.head();
    if (last !== archive.lastSeq || lastHash !== archive.lastHash)
      throw new Broken(last + 1, 'archive-changed');
    walk.archived();
  }
}

function compareWithTable(row: ChainedRow, rows: Peekable<ChainedRow>): void {
  const inTable = rows.peek();
  if (inTable === undefined || inTable.seq > row.seq) return;
  rows.take();
  if (inTable.seq < row.seq) throw new Broken(inTable.seq, 'inserted');
  const isSame = (Object.keys(row) as (keyof ChainedRow)[]).every((name) => row[name] === inTable[name]);
  if (!isSame) throw new Broken(row.seq, 'edited');
}

/** Why no row has the number `seq`, which would follow `previous`: it is gone, or stands elsewhere. */
function becameOfMissing(
  seq: number,
  previous: string,
  found: ChainedRow,
  following: Iterable<ChainedRow>,
): Problem {
  if (found.seq < seq) return 'inserted';
  return isMoved(seq, previous, found) || search(seq, previous, following) ? 'reordered' : 'missing';
}

/** Why the row does not have the hash that it should: it was changed, or another one stands in its place. */
function becameOfChanged(row: ChainedRow, previous: string, following: Iterable<ChainedRow>): Problem {
  const [next, ...others] = take(following, SEARCH_ROWS);
  const isNext = next !== undefined && isMoved(row.seq, previous, next);
  if (isNext && !isMoved(row.seq + 1, next.hash ?? '', row)) return 'inserted';
  return isNext || search(row.seq, previous, others) ? 'reordered' : 'edited';
}

function search(seq: number, previous: string, rows: Iterable<ChainedRow>): boolean {
  return take(rows, SEARCH_ROWS).some((row) => isMoved(seq, previous, row));
}

/** Whether the row is the one that had the number `seq`. */
function isMoved(seq: number, previous: string, row: ChainedRow): boolean {
  return row.hash === chainHash(previous, { ...row, seq });
}

function take<Value>(values: Iterable<Value>, most: number): Value[] {
  const taken: Value[] = [];
  for (const value of values) {
    if (taken.length >= most) break;
    taken.push(value);
  }
  return taken;
}

interface Peekable<Value> {
  peek(): Value | undefined;
  take(): Value | undefined;
  /** What has not been taken. */
  readonly rest: Iterable<Value>;
}

function peekable<Value>(values: Iterable<Value>): Peekable<Value> {
  const iterator = values[Symbol.iterator]();
  let next: IteratorResult<Value> | null = null;
  const peek = (): Value | undefined => {
    next ??= iterator.next();
    return next.done === true ? undefined : next.value;
  };
  const takeNext = (): Value | undefined => {
    const value = peek();
    if (value !== undefined) next = null;
    return value;
  };
  const rest: Iterable<Value> = {
    *[Symbol.iterator]() {
      for (let value = takeNext(); value !== undefined; value = takeNext()) yield value;
    },
  };
  return { peek, take: takeNext, rest };
}
