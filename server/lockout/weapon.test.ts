import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../test/house.ts';
import { openGuard, type Guard } from '../../test/lockout.ts';

const PANEL = '192.0.2.7';
const ELSEWHERE = ['203.0.113.1', '203.0.113.2', '2001:db8::1', '192.0.2.8'];

/** One thing that an attacker, an administrator or chance may do. */
type Step =
  | { readonly do: 'attack'; readonly name: string; readonly address: string; readonly times: number }
  | { readonly do: 'attack at once'; readonly name: string; readonly address: string; readonly times: number }
  | { readonly do: 'flood'; readonly name: string; readonly from: number; readonly times: number }
  | { readonly do: 'mistype at the panel'; readonly name: string; readonly times: number }
  | { readonly do: 'sign in elsewhere'; readonly address: string }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'set the clock'; readonly byMs: number }
  | { readonly do: 'restart'; readonly crash: boolean };

const name = fc.constantFrom('operator', 'Operator', 'supervisor', 'nobody');
const times = fc.integer({ min: 1, max: 40 });
const address = fc.constantFrom(...ELSEWHERE);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('attack' as const), name, address, times }),
  fc.record({ do: fc.constant('attack at once' as const), name, address, times }),
  fc.record({
    do: fc.constant('flood' as const),
    name,
    from: fc.nat(5),
    times: fc.integer({ min: 1, max: 120 }),
  }),
  // The one thing that nobody else can do to the operator: mistyping their very name at their very panel.
  fc.record({
    do: fc.constant('mistype at the panel' as const),
    name: fc.constantFrom('supervisor', 'nobody'),
    times,
  }),
  fc.record({ do: fc.constant('sign in elsewhere' as const), address }),
  fc.record({
    do: fc.constant('wait' as const),
    ms: fc.oneof(fc.nat(40 * SECOND_MS), fc.nat(40 * MINUTE_MS)),
  }),
  fc.record({
    do: fc.constant('set the clock' as const),
    byMs: fc.integer({ min: -9 * HOUR_MS, max: 9 * HOUR_MS }),
  }),
  fc.record({ do: fc.constant('restart' as const), crash: fc.boolean() }),
);

async function take(guard: Guard, what: Step): Promise<void> {
  const { clock } = guard;
  switch (what.do) {
    case 'attack':
      for (let i = 0; i < what.times; i++) await guard.wrong(what.name, what.address);
      return;
    case 'attack at once':
      await Promise.all(Array.from({ length: what.times }, () => guard.wrong(what.name, what.address)));
      return;
    case 'flood':
      for (let i = 0; i < what.times; i++) await guard.wrong(what.name, `10.${what.from}.0.${i}`);
      return;
    case 'mistype at the panel':
      for (let i = 0; i < what.times; i++) await guard.wrong(`${what.name}${i % 7 || ''}`, PANEL);
      return;
    case 'sign in elsewhere':
      return void (await guard.right('operator', what.address));
    case 'wait':
      return clock.advance(what.ms);
    case 'set the clock':
      return clock.setWallClock(clock.now() + what.byMs);
    case 'restart':
      return guard.restart({ crash: what.crash });
  }
}

test('a user who never mistypes at an address where they are known always gets in, whatever happens elsewhere', async () => {
  const guard = await openGuard();
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
      await guard.right('operator', PANEL);
      for (const what of steps) {
        await take(guard, what);
        expect(await guard.right('operator', PANEL), JSON.stringify(what)).toBe('in');
      }
    }),
    { numRuns: 60 },
  );
});

test('one address never locks an account for others, whatever it tries for however long', async () => {
  const guard = await openGuard();
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(name, times, fc.nat(20 * MINUTE_MS)), { maxLength: 25 }),
      async (attacks) => {
        for (const [victim, count, pauseMs] of attacks) {
          for (let i = 0; i < count; i++) {
            const outcome = await guard.wrong(victim, PANEL);
            if (outcome.startsWith('wait')) await guard.clock.advance(Math.min(pauseMs, 30 * SECOND_MS));
          }
          expect(guard.lockout.isLocked('id of operator', ELSEWHERE[0] ?? null)).toBe(false);
          await guard.clock.advance(pauseMs);
        }
      },
    ),
    { numRuns: 40 },
  );
});
