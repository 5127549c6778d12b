/** What is asked for beside a badge, and whether it is right: one hash, whoever's badge it is. */
import type { Config } from '../config/schema.ts';
import type { Lane, Standing } from '../passwords/hasher.ts';
import type { PasswordCheck, Passwords } from '../passwords/passwords.ts';
import type { User } from '../users/user.ts';
import type { Pins } from './pins.ts';

/** What a page asks for; where it is the PIN, the password of those who have none counts as well. */
export type Factor = 'pin' | 'password';

export type FactorCheck = PasswordCheck & { readonly by: Factor };

export interface SecondFactor {
  /** What every badge has to come with; null: nothing, but for administrators. */
  readonly ofEverybody: Factor | null;
  /** What the badge of `user` has to come with. */
  of(user: User | null): Factor | null;
  /** Checks what was typed; for nobody it takes as long and is wrong. */
  verify(user: User | null, typed: string, lane: Lane, standing: Standing): Promise<FactorCheck>;
}

const OF_EVERYBODY: Readonly<Record<Config['badges']['signIn'], Factor | null>> = {
  off: null,
  alone: null,
  'with-pin': 'pin',
  'with-password': 'password',
};

export function createSecondFactor(
  { pins, passwords }: { readonly pins: Pins; readonly passwords: Passwords },
  policy: Config['badges']['signIn'],
): SecondFactor {
  const ofEverybody = OF_EVERYBODY[policy];
  return {
    ofEverybody,
    // With what a badge and six digits are together nobody administers a plant.
    of: (user) => ofEverybody ?? (user?.type === 'Admin' ? 'password' : null),
    async verify(user, typed, lane, standing) {
      if (user !== null && user.type !== 'Admin' && ofEverybody === 'pin') {
        const checked = await pins.verify(user.id, typed, lane, standing);
        if (checked !== null) return { ...checked, by: 'pin' };
      }
      // Nobody has no name: that takes the time of one hash, too.
      const checked = await passwords.verify(user?.name ?? '', typed, lane, standing);
      return { ...checked, by: 'password' };
    },
  };
}
