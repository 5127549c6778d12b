/** Copies the trail off this machine, to each target at its own pace: what is sent is noted after, so an outage loses nothing. */
import { messageOf } from '../../errors.ts';
import type { CancelTimer, Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { Random } from '../../ports/random.ts';
import { storeFailure, type Store } from '../../store/store.ts';
import type { Audit } from '../audit.ts';
import {
  saveCursor,
  selectCheckpoints,
  selectCursor,
  selectEntriesAfter,
  type Cursor,
} from './forward-store.ts';
import type { Target } from './target.ts';

export interface CopyStatus {
  readonly target: Target['kind'];
  /** `behind`: on its way. `failing`: the last attempt failed, the next one is on its way. */
  readonly state: 'current' | 'behind' | 'failing';
  /** How many entries the target has not got for certain. */
  readonly behind: number;
  /** Since when it is not current; null while it is. */
  readonly since: number | null;
  readonly lastError: string | null;
}

export interface Forwarder {
  status(): CopyStatus[];
  /** The last entry that every target has: what is newer must stay where it is. Infinity where there is no target. */
  copiedTo(): number;
  /** Sends what there is once more, where all was well, and stops. */
  close(): Promise<void>;
}

export interface ForwardNeeds {
  readonly store: Pick<Store, 'aside' | 'write'>;
  readonly audit: Pick<Audit, 'onAppended' | 'status'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** So many entries make a delivery at most. */
const BATCH = 500;
/** A target that is current is not sent to more often than this: what comes meanwhile goes together. */
const PACE_MS = 1000;
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 300_000;
/** How long the last delivery may hold up the stop of the host. */
const LAST_WORDS_MS = 2000;

export function createForwarder(needs: ForwardNeeds, targets: readonly Target[]): Forwarder {
  const copies = targets.map((target) => startCopy(target, needs));
  if (copies.length > 0) needs.audit.onAppended((lastSeq) => copies.forEach((copy) => copy.wake(lastSeq)));
  return {
    status: () => copies.map((copy) => copy.status()),
    copiedTo: () => Math.min(Infinity, ...copies.map((copy) => copy.copiedTo())),
    async close() {
      await Promise.all(copies.map((copy) => copy.close()));
    },
  };
}

interface Copy {
  wake(lastSeq: number): void;
  status(): CopyStatus;
  copiedTo(): number;
  close(): Promise<void>;
}

function startCopy(target: Target, { store, audit, clock, random, log: anyLog }: ForwardNeeds): Copy {
  const log = anyLog.child({ target: target.place });
  let { lastSeq } = audit.status();
  /** Null until it is known how far the target was. */
  let cursor: Cursor | null = null;
  let failures = 0;
  let lastError: string | null = null;
  let since: number | null = clock.now();
  let sentAt = -Infinity;
  let cancelTimer: CancelTimer | null = null;
  let running: Promise<void> | null = null;
  let isClosing = false;

  const behind = (): number => Math.max(0, lastSeq - (cursor?.entry ?? 0));

  /** Goes when its time has come: at once, or when the pace or the wait after a failure allows it. */
  function schedule(delayMs: number): void {
    if (running !== null || cancelTimer !== null || isClosing) return;
    cancelTimer = clock.after(delayMs, () => {
      cancelTimer = null;
      running = run().finally(() => {
        running = null;
        if (lastError !== null) schedule(retryDelayMs(failures - 1, random));
        else if (behind() > 0) schedule(PACE_MS);
      });
    });
  }

  async function run(): Promise<void> {
    try {
      while (await sendNext());
      if (failures > 0) log.info({ behind: behind() }, 'the audit trail is copied again');
      failures = 0;
      lastError = null;
      if (behind() === 0) since = null;
    } catch (error) {
      if (isClosing) return;
      since ??= clock.now();
      lastError = messageOf(error);
      // Once per outage: an attempt that fails like the one before is nothing new.
      if (failures === 0) log.warn({ err: error, behind: behind() }, 'the audit trail cannot be copied');
      failures += 1;
    } finally {
      sentAt = clock.monotonic();
    }
  }

  /** Tells whether there is more to send. */
  async function sendNext(): Promise<boolean> {
    const from = (cursor ??= await selectCursor(store.aside, target.place));
    const entries = await selectEntriesAfter(store.aside, from.entry, BATCH);
    const entry = entries.at(-1)?.seq ?? from.entry;
    const checkpoints = await selectCheckpoints(store.aside, from.checkpoint, entry);
    if (entries.length === 0 && checkpoints.length === 0) return false;
    warnOfGap(from.entry, entries[0]?.seq);
    await target.deliver({ entries, checkpoints });
    cursor = { entry, checkpoint: checkpoints.at(-1)?.seq ?? from.checkpoint };
    await note(cursor);
    return entries.length === BATCH && !isClosing;
  }

  function warnOfGap(last: number, next = last + 1): void {
    if (next > last + 1) log.warn({ from: last + 1, to: next - 1 }, 'archived before they could be copied');
  }

  /** What cannot be noted is sent again after the next start: rather twice than never. */
  async function note(reached: Cursor): Promise<void> {
    try {
      await store.write((writer) => saveCursor(writer, target.place, reached));
    } catch (err) {
      log.warn({ err: storeFailure(err) }, 'how far the audit trail is copied could not be noted');
    }
  }

  async function close(): Promise<void> {
    isClosing = true;
    cancelTimer?.();
    const mayStillWork = failures === 0;
    const last = (async () => {
      await running;
      if (mayStillWork && behind() > 0) await run();
    })();
    const late = Promise.withResolvers<void>();
    const cancel = clock.after(mayStillWork ? LAST_WORDS_MS : 0, late.resolve);
    await Promise.race([last, late.promise]);
    cancel();
    target.close();
    await last;
  }

  schedule(0);
  return {
    wake(seq) {
      lastSeq = seq;
      since ??= clock.now();
      schedule(sentAt + PACE_MS - clock.monotonic());
    },
    status() {
      const state = lastError !== null ? 'failing' : behind() > 0 ? 'behind' : 'current';
      return {
        target: target.kind,
        state,
        behind: behind(),
        since: state === 'current' ? null : since,
        lastError,
      };
    },
    copiedTo: () => cursor?.entry ?? 0,
    close,
  };
}

/** The wait after `failures` + 1 failures in a row, shortened by up to half by chance: hosts do not storm a receiver in step. */
export function retryDelayMs(failures: number, random: Random): number {
  const fullMs = Math.min(FIRST_RETRY_MS * 2 ** failures, LONGEST_RETRY_MS);
  return fullMs * (0.5 + random.bytes(4).readUInt32BE() / 2 ** 33);
}
