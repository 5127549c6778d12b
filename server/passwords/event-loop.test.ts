import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createSystemClock } from '../ports/clock.ts';
import { createHasher } from './hasher.ts';

test('while passwords are hashed and verified, everything else goes on', async () => {
  const hasher = createHasher(
    {
      ...{ memoryKib: 32_768, iterations: 3, parallelism: 1, pepper: Buffer.from('the pepper of the tests') },
      ...{ maxConcurrent: 2, maxWaiting: 10, maxWaitingPerAddress: 10 },
    },
    createSystemClock(),
  );
  const stored = await hasher.hash('a password');
  const outcomes: unknown[] = [];
  const work = [
    hasher.hash('a password'),
    hasher.verify(stored, 'a password'),
    hasher.verify(stored, 'another'),
  ];
  for (const one of work) void one.then((outcome) => outcomes.push(outcome));
  // A hash on the event loop would be done before its first turn, and all of them within a few.
  let turns = 0;
  for (; outcomes.length < work.length; turns += 1) await turn();
  expect(outcomes.filter((outcome) => typeof outcome === 'boolean')).toEqual(
    expect.arrayContaining([true, false]),
  );
  expect(turns).toBeGreaterThan(100);
});
