import { expect, it } from 'vitest';
import { KeyswitchError } from '../errors.ts';
import { createFixedClock } from '../ports/clock.ts';
import { parseAddress } from './address.ts';
import type { ConnectionStatus, PlcConnection } from './connection.ts';
import { createHistory } from './history.ts';
import { numberItem } from './items.ts';
import { LIFE_BIT_MS, startLifeBit } from './life-bit.ts';

const BIT = numberItem({ kind: 'DB', number: 250 }, parseAddress('X1520'));

function openWorld() {
  const clock = createFixedClock();
  const written: unknown[] = [];
  const told: (string | null)[] = [];
  let state: ConnectionStatus['state'] = 'online';
  let outcome: () => Promise<void> = () => Promise.resolve();
  const connection: PlcConnection = {
    get status() {
      return {
        ...{ connection: '', state, since: 0, roundTripMs: 1, lastError: null },
        ...{ plc: null, pduBytes: 240 },
      };
    },
    polls: 0,
    history: createHistory(clock),
    watch: () => () => undefined,
    write(_item, value, options) {
      expect(options).toEqual({ verify: false });
      written.push(value);
      return outcome();
    },
    onStatus: () => () => undefined,
    close: () => undefined,
  };
  const stop = startLifeBit(connection, BIT, { clock, tellFault: (fault) => told.push(fault?.code ?? null) });
  return {
    ...{ clock, written, told, stop },
    isNow: (now: ConnectionStatus['state']) => void (state = now),
    ends: (how: () => Promise<void>) => void (outcome = how),
  };
}

it('changes every half second, while there is a connection', async () => {
  const { clock, written, isNow, stop } = openWorld();
  await clock.advance(3 * LIFE_BIT_MS);
  expect(written).toEqual([1, 0, 1]);
  isNow('backing-off');
  await clock.advance(3 * LIFE_BIT_MS);
  expect(written).toHaveLength(3);
  isNow('degraded');
  await clock.advance(LIFE_BIT_MS);
  expect(written).toEqual([1, 0, 1, 0]);
  stop();
  await clock.advance(3 * LIFE_BIT_MS);
  expect(written).toHaveLength(4);
});

it('waits for a PLC that takes long', async () => {
  const { clock, written, ends } = openWorld();
  const slow = Promise.withResolvers<void>();
  ends(() => slow.promise);
  await clock.advance(3 * LIFE_BIT_MS);
  expect(written).toEqual([1]);
  slow.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  await clock.advance(LIFE_BIT_MS);
  expect(written).toEqual([1, 0]);
});

it('goes on trying where the PLC refuses it, and says so; a lost connection tells of itself', async () => {
  const { clock, written, told, ends } = openWorld();
  ends(() => Promise.reject(new KeyswitchError('plc-refused')));
  await clock.advance(2 * LIFE_BIT_MS);
  ends(() => Promise.reject(new KeyswitchError('plc-timeout')));
  await clock.advance(LIFE_BIT_MS);
  expect(written).toEqual([1, 1, 1]);
  expect(told).toEqual(['plc-refused', 'plc-refused']);
});
