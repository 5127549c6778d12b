/** The audit trail: who did what to whom, where, when and why; written in the transaction of what it records. */
import { join } from 'node:path';
import { every, type Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { STORE_FILE, type Store, type Writer } from '../store/store.ts';
import { createArchiver } from './archive.ts';
import { appendEntry, readEntries } from './audit-store.ts';
import { createCheckpointer } from './checkpoints.ts';
import { readKeyFile } from './keys.ts';
import { openTrail, pemOf, type Opening } from './opening.ts';
import { startVerification, type Verification } from './verify-thread.ts';
import type { Problem, Verdict } from './verify.ts';

/** Where a request came in. */
export type DoorName =
  'api' | 'page' | 'iauth' | 'jube' | 'websocket' | 'plc' | 'desktop' | 'command-line' | 'host';

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
  | 'password-change-required'
  | 'password-change-refused'
  | 'password-reset'
  | 'account-locked'
  | 'account-unlocked'
  | 'emergency-sealed'
  | 'badge-enrolled'
  | 'badge-revoked'
  | 'pin-changed'
  | 'pin-change-refused'
  /** Ten wrong ones in a row: until the password was used it alone counts. */
  | 'pin-blocked'
  | 'user-added'
  | 'user-changed'
  | 'app-added'
  | 'app-changed'
  | 'app-user-granted'
  | 'link-added'
  | 'link-changed'
  | 'link-removed'
  | 'link-default-written'
  | 'signing-key-added'
  /** The end of the trail was not found as it was left. */
  | 'audit-damaged'
  /** SECRET_PWD_KEY is another one; the trail was verified and its end sealed with that. */
  | 'audit-resealed'
  | 'audit-key-added'
  | 'audit-archived'
  | 'audit-verified'
  | 'audit-exported'
  | 'storage-changed'
  | 'backup-made'
  | 'backup-failed'
  | 'backup-restored';

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

export interface AuditStatus {
  /** Rows in the table; the archives hold those before. */
  readonly entries: number;
  readonly lastSeq: number;
  readonly lastCheckpoint: { readonly seq: number; readonly at: number; readonly keyId: string } | null;
  readonly archives: number;
  readonly verification: VerificationStatus;
}

export interface VerificationStatus {
  readonly state: 'never' | 'running' | 'intact' | 'broken' | 'failed';
  /** When it was finished. */
  readonly at: number | null;
  readonly checked: number;
  readonly total: number;
  /** The first row that is not as it was written. */
  readonly brokenSeq: number | null;
  readonly problem: Problem | null;
}

export interface Audit {
  /** Appends inside the caller's transaction: both are on disk, or neither. */
  append(writer: Writer, record: AuditRecord): Promise<void>;
  /** The newest `limit` entries, newest first. */
  newest(limit: number): Promise<AuditEntry[]>;
  /** Calls `listener` with the number of the last row, after each commit that added some. */
  onAppended(listener: (lastSeq: number) => void): void;
  status(): AuditStatus;
  /** Verifies everything in a thread of its own, unless that is under way; `status` tells how far it is. */
  verify(actor?: Actor): Promise<VerificationStatus>;
  /** Moves what is older than the retention time to archives; tells how many rows. `archive-unusable`. */
  archive(actor?: Actor): Promise<number>;
  /** Leaves what is newer than row `copiedTo()` in the table: it is still to be copied off the machine. */
  holdArchive(copiedTo: () => number): void;
  /** Makes the last checkpoint. */
  close(): Promise<void>;
}

export interface AuditNeeds {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** SECRET_PWD_KEY: seals the end of the trail, and the key that signs checkpoints. */
  readonly secret: Buffer;
}

export interface AuditOptions {
  /** The data folder. */
  readonly folder: string;
  readonly archiveFolder: string;
  readonly checkpointRows: number;
  /** 0: all rows stay in the table. */
  readonly retentionDays: number;
}

const DAY_MS = 86_400_000;
/** After the start, so that it does not slow that down. */
const FIRST_ARCHIVING_MS = 600_000;

/** Opens the trail: holds its end against what it was, and goes on from there. */
export async function openAudit(needs: AuditNeeds, options: AuditOptions): Promise<Audit> {
  const { store, clock, log } = needs;
  const { folder, archiveFolder, retentionDays } = options;
  const opening = await openTrail({
    ...needs,
    folder,
    archiveFolder,
    verify: (settings) => startVerification(settings).verdict,
  });
  const { facts, key, derived } = opening;
  const checkpoints = createCheckpointer(
    { store, key, clock, log },
    { rows: options.checkpointRows, head: opening.head, last: facts.lastCheckpoint },
  );
  const archiver = createArchiver({ store, key, clock, append }, { folder: archiveFolder });
  let lastSeq = opening.head.seq;
  let { archives, archivedTo } = facts;
  let verification: VerificationStatus = statusAfter(opening, clock.now());
  let running: Verification | null = null;
  let archiving: Promise<number> | null = null;
  let heldTo: () => number = () => Infinity;
  let isClosing = false;

  store.journal.onAppended((head) => {
    lastSeq = head.seq;
    checkpoints.note(head);
  });

  async function append(writer: Writer, record: AuditRecord): Promise<void> {
    appendEntry(store, writer, clock.now(), record);
  }

  const record = (entry: AuditRecord): Promise<void> => store.write((writer) => append(writer, entry));

  async function verify(actor: Actor): Promise<VerificationStatus> {
    const keys = pemOf([...(readKeyFile(folder)?.keys.values() ?? [key.publicKey])]);
    const file = join(folder, STORE_FILE);
    running = startVerification(
      { file, archiveFolder, keys, sealKey: derived.seal, expected: null },
      (checked, total) => (verification = { ...verification, checked, total }),
    );
    verification = { ...NEVER, state: 'running', total: lastSeq };
    try {
      const verdict = await running.verdict;
      verification = statusOf(verdict, clock.now());
      await record({
        action: 'audit-verified',
        actor,
        reason: verification.state,
        detail: { checked: verdict.checked, lastSeq: verdict.lastSeq, ...verdict.breach },
      });
    } catch (err) {
      if (!isClosing) log.error({ err }, 'the audit trail could not be verified');
      if (verification.state === 'running')
        verification = { ...verification, state: 'failed', at: clock.now() };
    } finally {
      running = null;
    }
    return verification;
  }

  async function archive(actor: Actor): Promise<number> {
    await archiver.removeArchived();
    if (retentionDays === 0) return 0;
    const before = clock.now() - retentionDays * DAY_MS;
    let rows = 0;
    // Not further than now: to archive is recorded too.
    const last = Math.min(lastSeq, heldTo());
    while (!isClosing) {
      const made = await archiver.writeSegment(before, last);
      if (made === null) break;
      await archiver.register(made, actor);
      archives += 1;
      archivedTo = made.lastSeq;
      rows += made.entries;
      await archiver.removeArchived();
    }
    return rows;
  }

  let verifying: Promise<VerificationStatus> | null = null;
  const archiveOnce = (actor: Actor): Promise<number> =>
    (archiving ??= archive(actor).finally(() => (archiving = null)));
  const archiveByItself = (): void => {
    archiveOnce(HOST_ACTOR).catch((err: unknown) => log.error({ err }, 'the audit trail was not archived'));
  };
  const cancelFirst = clock.after(FIRST_ARCHIVING_MS, archiveByItself);
  const cancelDaily = every(clock, DAY_MS, archiveByItself);

  for (const entry of entriesOf(opening)) {
    log.error({ ...entry.detail, action: entry.action }, 'the audit trail is not as it was left');
    await record(entry);
  }

  return {
    append,
    newest: (limit) => readEntries(store.read, limit),
    onAppended: (listener) => store.journal.onAppended(({ seq }) => listener(seq)),
    status() {
      const last = checkpoints.last();
      return {
        entries: lastSeq - archivedTo,
        lastSeq,
        lastCheckpoint: last === null ? null : { seq: last.seq, at: last.at, keyId: last.keyId },
        archives,
        verification,
      };
    },
    verify: (actor = HOST_ACTOR) => (verifying ??= verify(actor).finally(() => (verifying = null))),
    archive: (actor = HOST_ACTOR) => archiveOnce(actor),
    holdArchive: (copiedTo) => void (heldTo = copiedTo),
    async close() {
      isClosing = true;
      cancelFirst();
      cancelDaily();
      await running?.stop();
      await verifying;
      await archiving?.catch(() => {});
      await checkpoints.close();
    },
  };
}

const NEVER: VerificationStatus = {
  state: 'never',
  at: null,
  checked: 0,
  total: 0,
  brokenSeq: null,
  problem: null,
};

function statusAfter({ damage }: Opening, at: number): VerificationStatus {
  if (damage === null) return NEVER;
  return { ...NEVER, state: 'broken', at, brokenSeq: damage.seq, problem: damage.problem };
}

function statusOf({ breach, checked }: Verdict, at: number): VerificationStatus {
  const found = { at, checked, total: checked };
  if (breach === null) return { ...NEVER, ...found, state: 'intact' };
  return { ...found, state: 'broken', brokenSeq: breach.seq, problem: breach.problem };
}

/** What is to be recorded of the opening itself. */
function entriesOf({ damage, isResealed, isRekeyed, facts, key }: Opening): AuditRecord[] {
  const actor = HOST_ACTOR;
  const provenTo = facts.lastCheckpoint?.seq ?? 0;
  const entries: AuditRecord[] = [];
  if (damage !== null) {
    const detail = { seq: damage.seq, sealedTo: facts.head.seq, foundTo: facts.end.seq, provenTo };
    entries.push({ action: 'audit-damaged', actor, reason: damage.problem, detail });
  }
  if (isResealed)
    entries.push({ action: 'audit-resealed', actor, detail: { seq: facts.head.seq, provenTo } });
  if (isRekeyed) entries.push({ action: 'audit-key-added', actor, subject: key.id });
  return entries;
}
