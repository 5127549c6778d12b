import { sql } from 'kysely';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openControlRoom, openHouse, type House } from '../../test/house.ts';
import type { Session } from '../sessions/session.ts';
import { freeBytesOf, openCapacity, type Capacity, type StorageState } from './capacity.ts';

const MIB = 1_048_576;
const MARKS = { warnFreeMiB: 1000, reserveMiB: 100 };

interface Watched {
  readonly house: House;
  readonly capacity: Capacity;
  /** Sets the free room and lets the time pass until it is looked at. */
  free(mib: number | Error): Promise<StorageState>;
  states(): (StorageState | undefined)[];
  rows(): Promise<(string | null)[]>;
}

async function watch(initialMib: number | Error = 5000): Promise<Watched> {
  const house = await openHouse();
  const { store, audit, bus } = house.features;
  const { clock, log } = house;
  let room = initialMib;
  const freeBytes = async (): Promise<number> => {
    if (room instanceof Error) throw room;
    return room * MIB;
  };
  const capacity = await openCapacity({ store, audit, bus, clock, log, freeBytes }, MARKS);
  onTestFinished(capacity.close);
  return {
    house,
    capacity,
    async free(mib) {
      room = mib;
      await capacity.check();
      return capacity.status.state;
    },
    states: () =>
      house.events
        .map((event) => (event.name === 'StorageChanged' ? event.state : undefined))
        .filter(Boolean),
    rows: async () =>
      (await house.audit())
        .filter(({ action }) => action === 'storage-changed')
        .map(
          ({ reason, detail }) =>
            `${reason}, before ${String(detail['before'])}, ${String(detail['freeMiB'])}`,
        ),
  };
}

describe('the marks', () => {
  test.each<[number, StorageState, boolean]>([
    [5000, 'ok', true],
    [1000, 'ok', true],
    [999, 'low', true],
    [100, 'low', true],
    [99, 'reserve', false],
    [0, 'reserve', false],
  ])('%d MiB at the start are %s', async (mib, state, mayRecord) => {
    const { capacity } = await watch(mib);
    expect([capacity.status, capacity.mayRecord()]).toEqual([{ state, freeMiB: mib }, mayRecord]);
  });

  test('are left only when a tenth more is free, so that nothing flutters', async () => {
    const { free } = await watch();
    const seen: StorageState[] = [];
    for (const mib of [999, 1001, 1099, 1100, 1001, 99, 101, 109, 110, 1050, 1100])
      seen.push(await free(mib));
    expect(seen).toEqual([
      ...(['low', 'low', 'low', 'ok', 'ok'] as const),
      ...(['reserve', 'reserve', 'reserve', 'low', 'low', 'ok'] as const),
    ]);
  });

  test('are told once each: to the log, the trail and whoever listens', async () => {
    const { house, free, states, rows } = await watch();
    for (const mib of [900, 800, 50, 40, 3000, 4000]) await free(mib);
    expect(states()).toEqual(['low', 'reserve', 'ok']);
    expect(await rows()).toEqual([
      'low, before ok, 900',
      'reserve, before low, 50',
      'ok, before reserve, 3000',
    ]);
    const told = house.log.lines.filter(({ msg }) => /disk/.test(String(msg)));
    expect(told.map(({ level }) => level)).toEqual(['warn', 'error', 'info']);
  });

  test('are looked at every minute', async () => {
    let mib = 5000;
    const house = await openHouse();
    const { store, audit, bus } = house.features;
    const { clock, log } = house;
    const freeBytes = async (): Promise<number> => mib * MIB;
    const capacity = await openCapacity({ store, audit, bus, clock, log, freeBytes }, MARKS);
    onTestFinished(capacity.close);
    mib = 10;
    await house.advance(59_000);
    expect(capacity.mayRecord()).toBe(true);
    await house.advance(1000);
    expect(capacity.mayRecord()).toBe(false);
  });

  test('do not count where the system does not tell, which is logged once', async () => {
    const { house, capacity, free } = await watch(new Error('no such call'));
    await free(new Error('no such call'));
    expect([capacity.status, capacity.mayRecord()]).toEqual([{ state: 'ok', freeMiB: null }, true]);
    expect(house.log.lines.filter(({ msg }) => String(msg).includes('is not told'))).toHaveLength(1);
  });
});

test('the room of a folder is told by the system; one that has gone has none', async () => {
  const house = await openHouse();
  expect(await freeBytesOf(house.folder)()).toBeGreaterThan(0);
  expect(await freeBytesOf(`${house.folder}/missing`)()).toBe(0);
});

/** Lets the database grow by no page any more: SQLite then says SQLITE_FULL as it does of a full disk. */
async function fill(house: House): Promise<void> {
  await house.features.store.write(async (writer) => {
    const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(writer);
    await sql`pragma max_page_count = ${sql.raw(String(rows[0]?.page_count))}`.execute(writer);
  });
  // What room is left within the pages is used up, down to the smallest entry.
  for (const size of [1500, 100, 1]) {
    expect(await refusalOf(() => note(house, 'x'.repeat(size)))).toMatchObject({
      code: 'storage-full',
      cause: { code: 'SQLITE_FULL' },
    });
  }
}

/** Does it again and again until it is refused. */
async function refusalOf(act: () => Promise<void>): Promise<unknown> {
  for (;;) {
    try {
      await act();
    } catch (error) {
      return error;
    }
  }
}

const empty = (house: House) =>
  house.features.store.write((writer) => sql`pragma max_page_count = 1073741823`.execute(writer));

function note(house: House, text: string): Promise<void> {
  const { store, audit } = house.features;
  const actor = { name: 'host', door: 'host', address: null } as const;
  return store.write((writer) => audit.append(writer, { action: 'host-started', actor, detail: { text } }));
}

describe('a database that is full', () => {
  test('refuses what is written with storage-full, keeps all that was, and reads on', async () => {
    const { house } = await openControlRoom();
    await fill(house);
    const before = await house.audit();
    await expect(note(house, 'x'.repeat(20_000))).rejects.toMatchObject({ code: 'storage-full' });
    expect(await house.audit()).toEqual(before);
    expect(house.features.store.isFull()).toBe(true);
  });

  test('lets nobody in, and somebody again when there is room', async () => {
    const { house, hmi } = await openControlRoom();
    await fill(house);
    expect(house.features.capacity.mayRecord()).toBe(false);
    await expect(house.signIn('operator', { app: hmi })).rejects.toMatchObject({ code: 'storage-full' });
    expect(await house.features.capacity.check()).toMatchObject({ state: 'reserve' });
    await empty(house);
    expect(await house.features.capacity.check()).toMatchObject({ state: 'ok' });
    await house.signIn('operator', { app: hmi });
    const [last] = (await house.audit()).filter(({ action }) => action === 'storage-changed');
    expect(last).toMatchObject({ reason: 'ok', detail: { before: 'reserve' } });
  });

  test('lets everybody out at once, and has it on record when there is room', async () => {
    const { house, hmi } = await openControlRoom();
    const { session } = (await house.signIn('operator', { app: hmi })) as { session: Session };
    await fill(house);
    const ending = house.features.sessions.end(session.id, 'signed-out', {
      ...{ name: 'operator', door: 'api', address: null },
    });
    await ending.catch(() => {});
    expect(house.features.sessions.ofApp(hmi.id)).toBeNull();
    await empty(house);
    for (let i = 0; i < 10; i += 1) await house.advance(10_000);
    expect((await house.audit()).filter(({ action }) => action === 'session-ended')).toHaveLength(1);
  });
});
