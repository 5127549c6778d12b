import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ADMINISTRATOR, filesWith, openControlRoom, openHouse, SECOND_MS } from '../../test/house.ts';
import { readNumber } from './badges.ts';

const NUMBER = '0004918337';
const MINE = { userName: 'operator', badge: NUMBER, label: 'blue card 17' };

describe('enrolling', () => {
  test('makes the badge known for its user, and is audited', async () => {
    const { house, operator } = await openControlRoom();
    const { badges } = house.features;
    const badge = await badges.enrol(MINE, ADMINISTRATOR);
    expect(badge).toEqual({
      ...{ id: badge.id, userName: 'operator', displayName: 'Olivia Operator', label: 'blue card 17' },
      ...{ enrolledAt: house.clock.now(), revokedAt: null },
    });
    expect(await badges.find(NUMBER)).toEqual({ id: badge.id, user: operator, isRevoked: false });
    expect(await badges.list()).toEqual([badge]);
    expect(await house.lastAudit()).toMatchObject({
      ...{ action: 'badge-enrolled', actor: 'Ada', subject: 'operator' },
      detail: { badge: badge.id, label: 'blue card 17' },
    });
  });

  test('leaves the number nowhere on disk or in the log, nor a hash that can be made without the key', async () => {
    const { house } = await openControlRoom();
    await house.features.badges.enrol(MINE, ADMINISTRATOR);
    expect(filesWith(house.folder, NUMBER)).toEqual([]);
    expect(JSON.stringify(house.log.lines)).not.toContain(NUMBER);
    await house.restart({ secrets: { passwordHashingKey: Buffer.from('another pepper for the test') } });
    expect(await house.features.badges.find(NUMBER)).toBeNull();
    await house.restart({});
    expect(await house.features.badges.find(NUMBER)).not.toBeNull();
  });

  test.each([
    ['a user whom nobody knows', { ...MINE, userName: 'nobody' }, 'not-found'],
    ['an emergency account', { ...MINE, userName: 'Emergency' }, 'forbidden'],
    ['a number that is shorter than those of the readers', { ...MINE, badge: ' 49183 ' }, 'invalid-input'],
    ['a badge that is in use', { ...MINE, userName: 'supervisor', badge: ' 8801 7741 ' }, 'already-exists'],
  ])('is refused for %s, and nothing is kept', async (_what, input, code) => {
    const { house } = await openControlRoom();
    const { badges, emergency } = house.features;
    await emergency.add({ name: 'Emergency' }, ADMINISTRATOR);
    const other = await badges.enrol({ ...MINE, badge: '8801 7741' }, ADMINISTRATOR);
    await expect(badges.enrol(input, ADMINISTRATOR)).rejects.toMatchObject({
      code,
      message: expect.not.stringContaining(input.badge.trim()) as string,
    });
    expect(await badges.list()).toEqual([other]);
  });

  test('of two at once with one number enrols one', async () => {
    const { house } = await openControlRoom();
    const outcomes = await Promise.allSettled(
      ['operator', 'supervisor'].map((userName) =>
        house.features.badges.enrol({ ...MINE, userName }, ADMINISTRATOR),
      ),
    );
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });
});

describe('revoking', () => {
  test('leaves the badge on record, and its number free for somebody else', async () => {
    const { house, supervisor } = await openControlRoom();
    const { badges, sessions } = house.features;
    const first = await badges.enrol(MINE, ADMINISTRATOR);
    await house.advance(SECOND_MS);
    await sessions.revokeBadge(first.id, ADMINISTRATOR);
    expect(await badges.find(NUMBER)).toMatchObject({ id: first.id, isRevoked: true });
    await house.advance(SECOND_MS);
    const second = await badges.enrol({ ...MINE, userName: 'supervisor' }, ADMINISTRATOR);
    expect(await badges.find(NUMBER)).toEqual({ id: second.id, user: supervisor, isRevoked: false });
    expect(await badges.list()).toEqual([{ ...first, revokedAt: expect.any(Number) as number }, second]);
    await sessions.revokeBadge(second.id, ADMINISTRATOR);
    expect(await badges.find(NUMBER)).toMatchObject({ id: second.id, isRevoked: true });
  });

  test('is done once', async () => {
    const { house } = await openControlRoom();
    const { badges, sessions } = house.features;
    const { id } = await badges.enrol(MINE, ADMINISTRATOR);
    await sessions.revokeBadge(id, ADMINISTRATOR);
    for (const unknown of [id, 'no id at all']) {
      await expect(sessions.revokeBadge(unknown, ADMINISTRATOR)).rejects.toMatchObject({ code: 'not-found' });
    }
    expect((await house.audit()).filter(({ action }) => action === 'badge-revoked')).toHaveLength(1);
  });
});

describe('a number', () => {
  const numbers = fc.string({ unit: 'binary', maxLength: 60 });

  test('is taken as it was typed, without what stands around it', async () => {
    const { badges } = (await openHouse()).features;
    const same = (one: string, other: string): boolean => badges.keyOf(one) === badges.keyOf(other);
    fc.assert(
      fc.property(numbers, fc.stringMatching(/^\s{0,3}$/), (number, around) => {
        expect(same(`${around}${number}${around}`, number)).toBe(true);
        expect(readNumber(readNumber(number))).toBe(readNumber(number));
      }),
    );
    const written = ['4918337', '04918337', '49 18337', '4918337A', '4918337a'];
    expect(new Set(written.map((number) => badges.keyOf(number))).size).toBe(written.length);
  });

  test('is looked for without a fault whatever was sent, and tells nothing of itself where failures are counted', async () => {
    const { badges } = (await openHouse()).features;
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 12_000, size: 'max' }), async (number) => {
        expect(await badges.find(number)).toBeNull();
        expect(badges.keyOf(number)).toMatch(/^badge [0-9a-f]{64}$/);
      }),
      { numRuns: 50 },
    );
  });
});
