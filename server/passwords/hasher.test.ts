import argon2 from 'argon2';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isKeyswitchError } from '../errors.ts';
import { createFixedClock } from '../ports/clock.ts';
import {
  createHasher,
  createTurns,
  type HasherOptions,
  type Lane,
  type Standing,
  type TurnsOptions,
} from './hasher.ts';

const OPTIONS: HasherOptions = {
  memoryKib: 64,
  iterations: 1,
  parallelism: 1,
  maxConcurrent: 2,
  maxWaiting: 3,
  maxWaitingPerAddress: 1000,
  pepper: Buffer.from('the pepper of the tests'),
};

const hasherWith = (options: Partial<HasherOptions> = {}) =>
  createHasher({ ...OPTIONS, ...options }, createFixedClock());

describe('a hash', () => {
  test('is an Argon2id PHC string with the parameters in force, a salt of 16 bytes and 32 bytes of digest', async () => {
    const hash = await hasherWith({ memoryKib: 128, iterations: 3, parallelism: 2 }).hash('a password');
    const [, algorithm, version, parameters, salt = '', digest = ''] = hash.split('$');
    expect({ algorithm, version }).toEqual({ algorithm: 'argon2id', version: 'v=19' });
    expect(Object.fromEntries((parameters ?? '').split(',').map((pair) => pair.split('=')))).toEqual({
      m: '128',
      t: '3',
      p: '2',
    });
    expect(Buffer.from(salt, 'base64')).toHaveLength(16);
    expect(Buffer.from(digest, 'base64')).toHaveLength(32);
  });

  test('of the same password is another each time, and both verify', async () => {
    const hasher = hasherWith();
    const hashes = [await hasher.hash('a password'), await hasher.hash('a password')];
    expect(hashes[0]).not.toBe(hashes[1]);
    for (const hash of hashes) expect(await hasher.verify(hash, 'a password')).toBe(true);
  });

  test('is worth nothing without the pepper it was made with', async () => {
    const hash = await hasherWith().hash('a password');
    expect(await hasherWith({ pepper: Buffer.from('another pepper') }).verify(hash, 'a password')).toBe(
      false,
    );
    expect(await hasherWith({ pepper: Buffer.alloc(0) }).verify(hash, 'a password')).toBe(false);
    expect(await argon2.verify(hash, 'a password')).toBe(false);
    expect(await argon2.verify(hash, 'a password', { secret: OPTIONS.pepper })).toBe(true);
  });

  test('made with other parameters still verifies', async () => {
    const hash = await hasherWith({ memoryKib: 256, iterations: 2 }).hash('a password');
    expect(await hasherWith().verify(hash, 'a password')).toBe(true);
    expect(await hasherWith().verify(hash, 'another password')).toBe(false);
  });

  test.each([
    ['the same parameters', {}, false],
    ['another memory', { memoryKib: 128 }, true],
    ['another number of passes', { iterations: 2 }, true],
    ['another number of lanes', { parallelism: 2 }, true],
    ['another bound on the queue', { maxConcurrent: 1, maxWaiting: 0 }, false],
  ])('made with %s: outdated is %s', async (_name, former, expected) => {
    const hash = await hasherWith(former).hash('a password');
    expect(hasherWith().isOutdated(hash)).toBe(expected);
  });
});

describe('a password', () => {
  const CASES: [string, string, string, boolean][] = [
    ['itself', 'a password', 'a password', true],
    ['in another case', 'a password', 'A password', false],
    ['with a space more at the end', 'a password', 'a password ', false],
    ['with spaces around it', '  a  password  ', '  a  password  ', true],
    ['without the spaces around it', '  a  password  ', 'a  password', false],
    ['of a thousand characters', 'x'.repeat(1000), 'x'.repeat(1000), true],
    ['that differs in its thousandth character', `${'x'.repeat(999)}a`, `${'x'.repeat(999)}b`, false],
    ['that differs behind the 72nd byte', `${'x'.repeat(72)}a`, `${'x'.repeat(72)}b`, false],
    ['of emoji', '🔑🏭🔑 família 👩‍🔧', '🔑🏭🔑 família 👩‍🔧', true],
    ['with another emoji', '🔑🏭🔑', '🔑🏭🗝', false],
    ['with a zero character in it', 'a\u0000b', 'a\u0000b', true],
    ['that differs behind a zero character', 'a\u0000b', 'a\u0000c', false],
    ['set composed and typed decomposed', 'caf\u00e9', 'cafe\u0301', true],
    ['set decomposed and typed composed', 'A\u030angstro\u0308m', '\u00c5ngstr\u00f6m', true],
    ['with a look-alike of another meaning', 'x\u00b2', 'x2', false],
  ];

  test.each(CASES)('%s', async (_name, password, typed, expected) => {
    const hasher = hasherWith();
    expect(await hasher.verify(await hasher.hash(password), typed)).toBe(expected);
  });
});

describe('more work than can be done at once', () => {
  test('waits, and is refused with a time to come back when the queue is full', async () => {
    const hasher = hasherWith({ maxConcurrent: 2, maxWaiting: 3 });
    const outcomes = await Promise.allSettled(Array.from({ length: 9 }, () => hasher.hash('a password')));
    expect(outcomes.map(({ status }) => status)).toEqual([
      ...Array.from({ length: 5 }, () => 'fulfilled'),
      ...Array.from({ length: 4 }, () => 'rejected'),
    ]);
    for (const outcome of outcomes.slice(5)) {
      expect(outcome).toMatchObject({ reason: { code: 'busy', retryAfterSec: 1 } });
    }
  });

  test('is refused at once, so that nothing piles up behind the queue', async () => {
    const hasher = hasherWith({ maxConcurrent: 1, maxWaiting: 1 });
    const order: string[] = [];
    const first = hasher.hash('a password').then(() => order.push('first'));
    const second = hasher.hash('a password').then(() => order.push('second'));
    const refused = Array.from({ length: 1000 }, () =>
      hasher.hash('a password').catch(() => order.push('refused')),
    );
    await Promise.all([first, second, ...refused]);
    expect(order.slice(0, 1000)).toEqual(Array.from({ length: 1000 }, () => 'refused'));
    expect(order.slice(1000)).toEqual(['first', 'second']);
  });

  test('is told a longer time, the longer the queue', async () => {
    const hasher = hasherWith({ maxConcurrent: 1, maxWaiting: 100 });
    const outcomes = await Promise.allSettled(Array.from({ length: 102 }, () => hasher.hash('a password')));
    expect(outcomes.at(-1)).toMatchObject({ reason: { code: 'busy', retryAfterSec: 5 } });
  });

  test('is taken in again when there is room, also after work that failed', async () => {
    const hasher = hasherWith({ maxConcurrent: 1, maxWaiting: 1 });
    const burst = () => Promise.allSettled([1, 2, 3].map(() => hasher.verify('no PHC string', 'a password')));
    for (let round = 0; round < 3; round += 1) {
      const outcomes = await burst();
      expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
      expect(outcomes[0]).not.toMatchObject({ reason: { code: 'busy' } });
      expect(outcomes[2]).toMatchObject({ reason: { code: 'busy' } });
    }
    await hasher.hash('a password');
  });
});

/** Work that ends when the test says so, with a note of who began and who was refused, in order. */
function openLine(options: Partial<TurnsOptions> = {}) {
  const clock = createFixedClock();
  const limits = { maxConcurrent: 1, maxWaiting: 1000, maxWaitingPerAddress: 1000, ...options };
  const turns = createTurns(limits, clock);
  const begun: Lane[] = [];
  const refused: { lane: Lane; retryAfterSec: number | undefined }[] = [];
  const atWork: (() => void)[] = [];
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return {
    begun,
    refused,
    atWork,
    /** One piece of work for each lane, in order. */
    async come(...lanes: Lane[]) {
      for (const lane of lanes) {
        const work = (): Promise<void> => {
          begun.push(lane);
          return new Promise((resolve) => atWork.push(resolve));
        };
        turns.take(lane, work).catch((error: unknown) => {
          if (!isKeyswitchError(error, 'busy')) throw error;
          refused.push({ lane, retryAfterSec: error.retryAfterSec });
        });
      }
      await settle();
    },
    /** Ends the oldest of those at work, `afterMs` later. */
    async finish(afterMs = 0) {
      await clock.advance(afterMs);
      atWork.shift()?.();
      await settle();
    },
    async finishAll() {
      for (; atWork.length > 0; await settle()) atWork.shift()?.();
    },
  };
}

const times = (count: number, lane: Lane): Lane[] => Array.from({ length: count }, () => lane);

describe('the line', () => {
  test('serves lanes in turn, so that one caller does not wait behind all that another has sent', async () => {
    const line = openLine();
    await line.come(...times(5, 'flood'), 'operator', null);
    await line.finishAll();
    expect(line.begun).toEqual(['flood', 'flood', 'operator', null, 'flood', 'flood', 'flood']);
  });

  test('keeps the order within a lane and among lanes', async () => {
    const line = openLine();
    await line.come('x', 'a', 'b', 'a', 'c', 'b', 'a');
    await line.finishAll();
    expect(line.begun).toEqual(['x', 'a', 'b', 'c', 'a', 'b', 'a']);
  });

  test('lets nobody slip in between the end of one and the turn of the next', async () => {
    const line = openLine();
    await line.come('a', 'b');
    line.atWork.shift()?.();
    await line.come('c');
    expect(line.begun).toEqual(['a', 'b']);
  });

  test('gives one address its share and no more, and refuses nobody else for it', async () => {
    const line = openLine({ maxWaitingPerAddress: 3 });
    await line.come('operator', ...times(10, 'flood'), 'operator');
    expect(line.refused.map(({ lane }) => lane)).toEqual(times(7, 'flood'));
  });

  test('holds the host itself to the share of a lane', async () => {
    const line = openLine({ maxWaitingPerAddress: 1 });
    await line.come('x', null, null);
    expect(line.refused).toMatchObject([{ lane: null }]);
  });

  test('that is full takes who comes alone, in place of the newest of the longest lane', async () => {
    const line = openLine({ maxWaiting: 4 });
    await line.come('x', ...times(3, 'flood'), 'other', 'operator');
    expect(line.refused.map(({ lane }) => lane)).toEqual(['flood']);
    await line.finishAll();
    expect(line.begun).toEqual(['x', 'flood', 'other', 'operator', 'flood']);
  });

  test('that is full refuses who would make his own lane the longest', async () => {
    const line = openLine({ maxWaiting: 4 });
    await line.come('x', 'a', 'a', 'b', 'b', 'a', 'b');
    expect(line.refused.map(({ lane }) => lane)).toEqual(['a', 'b']);
  });

  test('that is full of lanes of one refuses a further lane', async () => {
    const line = openLine({ maxWaiting: 2 });
    await line.come('x', 'a', 'b', 'c');
    expect(line.refused.map(({ lane }) => lane)).toEqual(['c']);
  });

  test('without room to wait takes what it can do at once', async () => {
    const line = openLine({ maxConcurrent: 2, maxWaiting: 0 });
    await line.come('a', 'b', 'c');
    expect([line.begun, line.refused.map(({ lane }) => lane)]).toEqual([['a', 'b'], ['c']]);
  });

  test('tells the time that the line of the very caller takes, by what the last work took', async () => {
    const line = openLine({ maxConcurrent: 2, maxWaitingPerAddress: 30 });
    await line.come('x', 'x', ...times(30, 'other'), ...times(5, 'operator'), ...times(31, 'flood'));
    // 30 turns of the flood, as many of the other and five of the operator, two at a time, 50 ms each.
    expect(line.refused).toEqual([{ lane: 'flood', retryAfterSec: 2 }]);
    for (let turn = 0; turn < 100 && line.atWork.length > 0; turn += 1) await line.finish(2000);
    await line.come('x', 'x', ...times(31, 'flood'));
    expect(line.refused[1]?.retryAfterSec).toBeGreaterThan(20);
    expect(line.refused[1]?.retryAfterSec).toBeLessThanOrEqual(61);
  });

  test('never does more than it may, never forgets anyone, and is as it was in the end', async () => {
    const lane = fc.constantFrom<Lane>(null, 'a', 'b', 'c', 'd');
    const step = fc.oneof(
      lane.map((who) => ({ who })),
      fc.constant('finish' as const),
    );
    const limits = fc.record({
      maxConcurrent: fc.integer({ min: 1, max: 3 }),
      maxWaiting: fc.integer({ min: 0, max: 6 }),
      maxWaitingPerAddress: fc.integer({ min: 1, max: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(limits, fc.array(step, { maxLength: 60 }), async (options, steps) => {
        const line = openLine(options);
        let came = 0;
        for (const next of steps) {
          if (next === 'finish') await line.finish();
          else {
            came += 1;
            await line.come(next.who);
          }
          const waits = came - line.begun.length - line.refused.length;
          expect(line.atWork.length).toBeLessThanOrEqual(options.maxConcurrent);
          expect(waits).toBeLessThanOrEqual(options.maxWaiting);
          // Nobody waits while there is room to work.
          if (waits > 0) expect(line.atWork).toHaveLength(options.maxConcurrent);
        }
        await line.finishAll();
        expect(line.begun.length + line.refused.length).toBe(came);
        expect(line.refused.every(({ retryAfterSec }) => (retryAfterSec ?? 0) >= 1)).toBe(true);
        // The places have been given back, all of them.
        const before = line.begun.length;
        await line.come(...times(options.maxConcurrent, 'late'));
        expect(line.begun).toHaveLength(before + options.maxConcurrent);
      }),
    );
  });

  test('full of a flood from many addresses lets every operator in within two rounds', async () => {
    const line = openLine({ maxConcurrent: 2, maxWaiting: 200, maxWaitingPerAddress: 20 });
    const flood = Array.from({ length: 50 }, (_, index) => `192.0.2.${index}`);
    for (let round = 0; round < 20; round += 1) await line.come(...flood);
    const operators = Array.from({ length: 20 }, (_, index) => `operator ${index}`);
    const before = line.begun.length;
    await line.come(...operators);
    for (let turn = 0; turn < 2 * (flood.length + operators.length); turn += 1) await line.finish();
    expect(line.refused.filter(({ lane }) => operators.includes(lane ?? ''))).toEqual([]);
    expect(line.begun.slice(before)).toEqual(expect.arrayContaining(operators));
  });
});

describe('a suspect in the line', () => {
  /** A line of one at a time; each piece of work ends when it is told to. */
  function openSingleLine(maxWaiting = 100) {
    const turns = createTurns(
      { maxConcurrent: 1, maxWaiting, maxWaitingPerAddress: 100 },
      { monotonic: () => 0 },
    );
    const started: string[] = [];
    const running: PromiseWithResolvers<void>[] = [];
    return {
      started,
      ask(name: string, standing: Standing): Promise<void> {
        return turns.take(
          name,
          () => {
            started.push(name);
            const work = Promise.withResolvers<void>();
            running.push(work);
            return work.promise;
          },
          standing,
        );
      },
      suspect: turns.suspect,
      async finishAll(): Promise<void> {
        for (let work = running.shift(); work !== undefined; work = running.shift()) {
          work.resolve();
          await new Promise((resolve) => setImmediate(resolve));
        }
      },
    };
  }

  test('waits behind those of whom nothing bad is known, but not for ever', async () => {
    const line = openSingleLine();
    const all = [line.ask('first', 'clean')];
    for (const name of ['s1', 's2', 's3']) all.push(line.ask(name, 'suspect'));
    for (const name of ['c1', 'c2', 'c3', 'c4', 'c5']) all.push(line.ask(name, 'clean'));
    await line.finishAll();
    await Promise.all(all);
    expect(line.started).toEqual(['first', 'c1', 'c2', 'c3', 's1', 'c4', 'c5', 's2', 's3']);
  });

  test('gives way where the line is full, the newest first, and never the other way round', async () => {
    const line = openSingleLine(2);
    const all = [line.ask('first', 'clean'), line.ask('s1', 'suspect')];
    const displaced = line.ask('s1', 'suspect');
    all.push(line.ask('c1', 'clean'));
    await expect(displaced).rejects.toMatchObject({ code: 'busy' });
    await expect(line.ask('s2', 'suspect')).rejects.toMatchObject({ code: 'busy' });
    await line.finishAll();
    await Promise.all(all);
    expect(line.started).toEqual(['first', 'c1', 's1']);
  });

  test('is one as well who was waiting already when somebody failed from there', async () => {
    const line = openSingleLine();
    const all = [line.ask('first', 'clean'), line.ask('attacker', 'clean'), line.ask('attacker', 'clean')];
    all.push(line.ask('operator', 'clean'));
    line.suspect('attacker');
    line.suspect('nobody');
    await line.finishAll();
    await Promise.all(all);
    expect(line.started).toEqual(['first', 'operator', 'attacker', 'attacker']);
  });
});
