/** Watches that what happens can still be recorded (ASVS 16.5.2 and 16.5.3, IEC 62443-4-2 CR 2.9 and 2.10). */
import { statfs } from 'node:fs/promises';
import type { Bus } from '../events.ts';
import type { Clock } from '../ports/clock.ts';
import { every } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { storeFailure, type Store } from '../store/store.ts';
import { HOST_ACTOR, type Audit } from './audit.ts';

/**
 * `low`: below the first mark, all goes on with a warning. `reserve`: below the second one, or the disk took nothing
 * when it was last written to; what room there is, is kept for what ends sessions and for emergencies.
 */
export type StorageState = 'ok' | 'low' | 'reserve';

export interface StorageStatus {
  readonly state: StorageState;
  /** Null where the system does not tell. */
  readonly freeMiB: number | null;
}

export interface Capacity {
  readonly status: StorageStatus;
  /** Whether somebody new may be signed in: it will be on record. */
  mayRecord(): boolean;
  /** Looks now, and not only when the time has come. */
  check(): Promise<StorageStatus>;
  close(): void;
}

export interface CapacityNeeds {
  readonly store: Pick<Store, 'write' | 'isFull'>;
  readonly audit: Pick<Audit, 'append'>;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Log;
  /** Bytes that this account may still use where the database is. */
  freeBytes(): Promise<number>;
}

export interface CapacityOptions {
  readonly warnFreeMiB: number;
  readonly reserveMiB: number;
}

const CHECK_MS = 60_000;
const MIB = 1_048_576;
/** A mark that was passed downwards counts as passed until so much more is free, so that nothing flutters around it. */
const RECOVERY_PERCENT = 110;

/** Tells the room on the disk that holds `folder`: none where the folder has gone, although its open files may go on. */
export function freeBytesOf(folder: string): () => Promise<number> {
  return async () => {
    try {
      const { bavail, bsize } = await statfs(folder);
      return bavail * bsize;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
      throw error;
    }
  };
}

/** Looks at once, and then every minute. */
export async function openCapacity(needs: CapacityNeeds, options: CapacityOptions): Promise<Capacity> {
  const { store, audit, bus, clock, log, freeBytes } = needs;
  let status: StorageStatus = { state: 'ok', freeMiB: null };
  /** What the trail says; another than the present one where the disk took no entry. */
  let recorded: StorageState = 'ok';
  let isUnknownLogged = false;

  async function look(): Promise<number | null> {
    try {
      return Math.floor((await freeBytes()) / MIB);
    } catch (err) {
      if (!isUnknownLogged) log.warn({ err }, 'the free room on the disk is not told');
      isUnknownLogged = true;
      return null;
    }
  }

  async function check(): Promise<StorageStatus> {
    const freeMiB = await look();
    const former = status.state;
    const wanted = stateOf(freeMiB, former, options);
    // While the disk takes nothing, the entry that says it does again is how that is found out.
    const isDue = store.isFull() || wanted !== former || wanted !== recorded;
    const isRecorded = !isDue || (await record(wanted, freeMiB));
    status = { state: isRecorded || !store.isFull() ? wanted : 'reserve', freeMiB };
    if (status.state !== former) tell(former);
    return status;
  }

  function tell(former: StorageState): void {
    const words = { former, ...status, ...options };
    if (status.state === 'ok') log.info(words, 'there is room on the disk again');
    else if (status.state === 'low') log.warn(words, 'the disk is filling up');
    else log.error(words, 'the disk is full or not there: nobody new is signed in, but for emergencies');
    bus.publish('StorageChanged', status);
  }

  async function record(state: StorageState, freeMiB: number | null): Promise<boolean> {
    try {
      await store.write((writer) =>
        audit.append(writer, {
          action: 'storage-changed',
          actor: HOST_ACTOR,
          reason: state,
          detail: { freeMiB, before: status.state },
        }),
      );
      recorded = state;
      return true;
    } catch (err) {
      log.error({ err: storeFailure(err) }, 'the state of the disk could not be recorded');
      return false;
    }
  }

  /** One look at a time: a disk that hangs is not asked again and again. */
  let looking: Promise<StorageStatus> | null = null;
  const checkOnce = (): Promise<StorageStatus> =>
    (looking ??= check().finally(() => {
      looking = null;
    }));

  await checkOnce();
  const cancel = every(clock, CHECK_MS, () => void checkOnce());

  return {
    get status() {
      return status;
    },
    mayRecord: () => status.state !== 'reserve' && !store.isFull(),
    check: checkOnce,
    close: cancel,
  };
}

function stateOf(
  freeMiB: number | null,
  former: StorageState,
  { warnFreeMiB, reserveMiB }: CapacityOptions,
): StorageState {
  // What is not told is no reason to turn people away: a disk that is full says so when it is written to.
  if (freeMiB === null) return former === 'reserve' ? 'low' : former;
  const isBelow = (markMiB: number, wasBelow: boolean): boolean =>
    100 * freeMiB < markMiB * (wasBelow ? RECOVERY_PERCENT : 100);
  if (isBelow(reserveMiB, former === 'reserve')) return 'reserve';
  return isBelow(warnFreeMiB, former !== 'ok') ? 'low' : 'ok';
}
