import { describe, expect, test } from 'vitest';
import { openHouse } from '../../test/house.ts';
import { HOST_ACTOR, type Actor } from './audit.ts';

const ACTOR: Actor = { name: 'Ada', door: 'page', address: '2001:db8::7' };

describe('an entry', () => {
  test('carries who, what, whom, where, why and when in milliseconds', async () => {
    const house = await openHouse();
    const { audit, store } = house.features;
    await house.clock.advance(1234);
    await store.write((writer) =>
      audit.append(writer, {
        action: 'session-ended',
        actor: ACTOR,
        subject: 'operator',
        app: 'HMI',
        reason: 'signed-out',
        detail: { session: 's1', nested: { ünïcode: [1, null] } },
      }),
    );
    expect(await house.lastAudit()).toEqual({
      seq: expect.any(Number) as number,
      at: Date.UTC(2026, 0, 1, 6) + 1234,
      action: 'session-ended',
      actor: 'Ada',
      subject: 'operator',
      app: 'HMI',
      door: 'page',
      address: '2001:db8::7',
      reason: 'signed-out',
      detail: { session: 's1', nested: { ünïcode: [1, null] } },
    });
  });

  test('has nothing where nothing was said', async () => {
    const house = await openHouse();
    const { audit, store } = house.features;
    await store.write((writer) => audit.append(writer, { action: 'host-started', actor: HOST_ACTOR }));
    expect(await house.lastAudit()).toMatchObject({
      actor: 'host',
      door: 'host',
      subject: null,
      app: null,
      address: null,
      reason: null,
      detail: {},
    });
  });

  test('is on disk with what it records, or neither is', async () => {
    const house = await openHouse();
    const { audit, store } = house.features;
    const before = await house.audit();
    const undone = store.write(async (writer) => {
      await audit.append(writer, { action: 'host-started', actor: HOST_ACTOR });
      throw new Error('undo this');
    });
    await expect(undone).rejects.toThrow('undo this');
    expect(await house.audit()).toEqual(before);
  });
});

test('the newest come first, no more than asked for, and in the order in which they were written', async () => {
  const house = await openHouse();
  const { audit, store } = house.features;
  await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      store.write((writer) =>
        audit.append(writer, { action: 'sign-in', actor: ACTOR, subject: `user ${i}` }),
      ),
    ),
  );
  expect((await audit.newest(3)).map(({ subject }) => subject)).toEqual(['user 19', 'user 18', 'user 17']);
  const seqs = (await house.audit()).map(({ seq }) => seq);
  expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
  expect(await audit.newest(0)).toEqual([]);
});

test('the order of the entries is that of the events although the wall clock is set back', async () => {
  const house = await openHouse();
  const { audit, store } = house.features;
  const append = (subject: string) =>
    store.write((writer) => audit.append(writer, { action: 'sign-in', actor: ACTOR, subject }));
  await append('first');
  house.clock.setWallClock(house.clock.now() - 3_600_000);
  await append('second');
  const [second, first] = await audit.newest(2);
  expect([first?.subject, second?.subject]).toEqual(['first', 'second']);
  expect((first?.at ?? 0) - (second?.at ?? 0)).toBe(3_600_000);
});
