/** A lockout for tests, on a store of its own, with somebody who tries passwords as the sign-in path would. */
import { onTestFinished } from 'vitest';
import type { z } from 'zod';
import { configSchema } from '../server/config/schema.ts';
import { isKeyswitchError } from '../server/errors.ts';
import { openLockout, type Failure, type Lockout, type Tried } from '../server/lockout/lockout.ts';
import { lockoutRules } from '../server/lockout/rules.ts';
import { createFixedClock, type FixedClock } from '../server/ports/clock.ts';
import { createMemoryLog, type MemoryLog } from '../server/ports/log.ts';
import { openStore, type Store } from '../server/store/store.ts';
import { temporaryFolder } from './house.ts';

/** What a try comes to: the seconds it has to wait, unchecked, or what became of it. */
export type Outcome = 'in' | 'wrong' | 'locked' | `wait ${number}`;

export interface Guard {
  readonly folder: string;
  readonly clock: FixedClock;
  readonly log: MemoryLog;
  readonly store: Store;
  readonly lockout: Lockout;
  /** Tries a password, right or wrong; by an administrator's word a right one may still be refused. */
  attempt(name: string, address: string | null, password: 'right' | 'wrong'): Promise<Outcome>;
  wrong(name: string, address: string | null): Promise<Outcome>;
  right(name: string, address: string | null): Promise<Outcome>;
  /** Fails so often, waiting whenever it has to. */
  fail(times: number, name: string, address: string | null): Promise<Failure>;
  /** What the last failure was told. */
  readonly lastFailure: Failure;
  unlock(userId: string): Promise<boolean>;
  userId(name: string): string | null;
  /** Closes it and opens it on the same store, `meanwhile` done in between, with other settings where given. */
  restart(
    options?: { config?: z.input<typeof configSchema>['lockout']; crash?: boolean },
    meanwhile?: () => void,
  ): Promise<void>;
  /** The rows on disk, of any kind or of one. */
  rows(kind?: string): Promise<{ key: string; failures: number; until: number | null; locked: number }[]>;
}

export const USERS = ['operator', 'supervisor', 'Ada', 'Bo', 'Cy', 'Di'];

export async function openGuard(config: z.input<typeof configSchema>['lockout'] = {}): Promise<Guard> {
  const folder = temporaryFolder();
  const store = await openStore(folder);
  onTestFinished(() => store.close());
  const clock = createFixedClock();
  const log = createMemoryLog(clock.now);
  let settings = config;
  let life = { isOver: false };
  function open(): Promise<Lockout> {
    const mine = { isOver: false };
    life = mine;
    // What has crashed does nothing any more.
    const after: FixedClock['after'] = (ms, callback) => clock.after(ms, () => mine.isOver || callback());
    return openLockout(
      { store, clock: { ...clock, after }, log, secret: Buffer.from('the-pepper-of-a-test') },
      lockoutRules(configSchema.parse({ lockout: settings }).lockout),
    );
  }
  for (const name of USERS) await addUser(store, name);
  let lockout = await open();
  let lastFailure: Failure = { retryAfterSec: 0, locked: null };

  const userId = (name: string): string | null => (USERS.includes(name) ? idOf(name) : null);

  async function attempt(name: string, address: string | null, password: string): Promise<Outcome> {
    const tried: Tried = { typedName: name, userId: userId(name), address };
    try {
      const { release } = lockout.admit(name, address);
      try {
        // Where the hash is computed: all that come at once are let in before the first is done.
        await Promise.resolve();
        return await conclude(tried, lockout.settle(tried, password === 'right' && tried.userId !== null));
      } finally {
        release();
      }
    } catch (error) {
      if (!isKeyswitchError(error, 'too-many-tries')) throw error;
      return `wait ${error.retryAfterSec ?? NaN}`;
    }
  }

  async function conclude(tried: Tried, verdict: string): Promise<Outcome> {
    if (verdict === 'match' && tried.userId !== null) {
      const by = { ...tried, userId: tried.userId };
      await store.write((writer, afterCommit) => lockout.succeeded(writer, afterCommit, by));
      return 'in';
    }
    lastFailure = await store.write((writer, afterCommit) => lockout.failed(writer, afterCommit, tried));
    return verdict === 'locked' ? 'locked' : 'wrong';
  }

  const guard: Guard = {
    folder,
    clock,
    log,
    store,
    get lockout() {
      return lockout;
    },
    get lastFailure() {
      return lastFailure;
    },
    attempt,
    wrong: (name, address) => attempt(name, address, 'wrong'),
    right: (name, address) => attempt(name, address, 'right'),
    async fail(times, name, address) {
      for (let failures = 0; failures < times;) {
        const outcome = await attempt(name, address, 'wrong');
        if (outcome.startsWith('wait')) await clock.advance(Number(outcome.slice(5)) * 1000);
        else failures += 1;
      }
      return lastFailure;
    },
    unlock: (id) => store.write((writer, afterCommit) => lockout.unlock(writer, afterCommit, id)),
    userId,
    async restart({ config: next = settings, crash = false } = {}, meanwhile = () => {}) {
      if (crash) life.isOver = true;
      else await lockout.close();
      settings = next;
      meanwhile();
      lockout = await open();
    },
    rows: async (kind) =>
      (await store.read.selectFrom('lockout_counters').selectAll().orderBy('key').execute()).filter(
        (row) => kind === undefined || row.kind === kind,
      ),
  };
  onTestFinished(() => guard.lockout.close());
  return guard;
}

const idOf = (name: string): string => `id of ${name}`;

async function addUser(store: Store, name: string): Promise<void> {
  const common = { type: 'Active', enabled: 1, logout_time_in_min: null, created_at: 1, changed_at: 1 };
  await store.write((writer) =>
    writer
      .insertInto('users')
      .values({ id: idOf(name), name, display_name: name, ...common })
      .execute(),
  );
}
