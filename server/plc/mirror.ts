/** Keeps one item of a PLC at a value, whatever becomes of the connection, the PLC and its memory. */
import { isKeyswitchError, KeyswitchError } from '../errors.ts';
import type { PlcConnection } from './connection.ts';
import type { Item } from './items.ts';

/** Told of what keeps an item from being read or written, and (null) that it is well again. */
export type TellFault = (fault: KeyswitchError | null) => void;

export interface Mirror<Value> {
  /** Wants this value from now on; one that was wanted before is written no more. */
  set(value: Value): void;
  /** The PLC is known to hold the wanted value, and nothing is on its way there. */
  readonly isKept: boolean;
  /** Leaves the item as it is. */
  close(): void;
}

/**
 * Writes once with every connection, and wherever a poll reads something else, one write at a time. So a value is
 * tried again until it stands there or another one is wanted; one that comes late, out of a connection that broke, is
 * put right, and so is a block that was loaded anew. Writes nothing before the first `set`.
 */
export function createMirror<Value>(
  connection: PlcConnection,
  item: Item<Value>,
  tellFault: TellFault,
): Mirror<Value> {
  let wanted: { readonly value: Value; readonly bytes: Buffer } | null = null;
  /** What the PLC is known to hold since the last write. */
  let held: Buffer | null = null;
  /** Written on the present connection. */
  let isGreeted = false;
  let isWriting = false;
  /** Polls up to this number were asked for before the last write was done: they may tell of the time before it. */
  let staleUpTo = 0;
  let isClosed = false;

  const isRight = (): boolean => wanted !== null && held !== null && held.equals(wanted.bytes);

  function reconcile(): void {
    if (isClosed || isWriting || wanted === null || held === null || (isGreeted && isRight())) return;
    void write(wanted.value);
  }

  async function write(value: Value): Promise<void> {
    isWriting = true;
    isGreeted = true;
    // Only a later reading tells what the PLC made of it.
    held = null;
    try {
      await connection.write(item, value, { verify: false });
      tellFault(null);
    } catch (error) {
      isGreeted = false;
      // The connection tells of its own end.
      if (isKeyswitchError(error) && !isLost(error)) tellFault(error);
    }
    isWriting = false;
    staleUpTo = connection.polls;
  }

  const stops = [
    connection.watch(item, (reading, poll) => {
      if (isWriting || poll <= staleUpTo) return;
      if (reading instanceof KeyswitchError) {
        held = null;
        return tellFault(reading);
      }
      held = item.encode(reading);
      if (isRight()) tellFault(null);
      reconcile();
    }),
    connection.onStatus(({ state }) => {
      if (state === 'online' || state === 'degraded') return;
      held = null;
      isGreeted = false;
    }),
  ];

  return {
    set(value) {
      wanted = { value, bytes: item.encode(value) };
      reconcile();
    },
    get isKept() {
      return !isWriting && isGreeted && isRight();
    },
    close() {
      isClosed = true;
      for (const stop of stops) stop();
    },
  };
}

/** The connection broke: whether the PLC took the value nobody knows. */
export function isLost(error: KeyswitchError): boolean {
  return error.code === 'plc-unreachable' || error.code === 'plc-timeout';
}
