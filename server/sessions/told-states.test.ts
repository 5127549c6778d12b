import { expect, test } from 'vitest';
import type { AppState, AppStates } from './app-states.ts';
import type { Session } from './session.ts';
import { createToldStates } from './told-states.ts';

const sessionOf = (name: string): Session => ({ id: name, user: { name } }) as Session;

/** One app whose states and tokens come when a test says so. */
function open() {
  let state: AppState = { appId: 'a', revision: 0, session: null };
  const listeners = new Set<(next: AppState) => void>();
  const signing = new Map<string, PromiseWithResolvers<string>>();
  const appStates: AppStates = {
    run: 'run',
    of: () => state,
    follow(_, listener) {
      listeners.add(listener);
      listener(state);
      return () => listeners.delete(listener);
    },
    close() {},
  };
  const told = createToldStates({
    appStates,
    sessions: {
      tokenOf(session) {
        const token = Promise.withResolvers<string>();
        signing.set(session.id, token);
        return token.promise;
      },
    },
  });
  return {
    signing,
    set(name: string | null): void {
      state = { appId: 'a', revision: state.revision + 1, session: name === null ? null : sessionOf(name) };
      for (const listener of listeners) listener(state);
    },
    follow(isProven: boolean) {
      const seen: object[] = [];
      const stop = told.follow({
        appId: 'a',
        isProven,
        tell: (next) => seen.push(next),
        fail: (error) => seen.push({ error }),
      });
      return { seen, stop, words: () => seen.map((it) => inWords(it)) };
    },
  };
}

function inWords(told: object): string {
  if ('error' in told) return 'failed';
  const { session, token } = told as AppState & { token: string | null };
  return `${session?.user.name ?? '-'} ${token ?? 'without'}`;
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('the token is for those who have proved the key, and for no others', async () => {
  const { set, signing, follow } = open();
  const [open1, proven] = [follow(false), follow(true)];
  set('olivia');
  signing.get('olivia')?.resolve('token');
  await settled();
  expect(open1.words()).toEqual(['- without', 'olivia without']);
  expect(proven.words()).toEqual(['- without', 'olivia token']);
});

test('all who may know the same are told the same object, and the token is signed once', async () => {
  const { set, signing, follow } = open();
  const followers = [follow(true), follow(true), follow(false), follow(false)];
  set('olivia');
  const first = signing.get('olivia');
  first?.resolve('token');
  await settled();
  const [one, two, three, four] = followers.map(({ seen }) => seen.at(-1));
  expect(one).toBe(two);
  expect(three).toBe(four);
  expect(one).not.toBe(three);
  expect(signing.get('olivia')).toBe(first);
});

test('a state that was overtaken while its token was signed is not told, however late it is signed', async () => {
  const { set, signing, follow } = open();
  const { words } = follow(true);
  set('olivia');
  set('adam');
  signing.get('adam')?.resolve('second');
  await settled();
  signing.get('olivia')?.resolve('first');
  await settled();
  set('eve');
  set(null);
  signing.get('eve')?.resolve('third');
  await settled();
  expect(words()).toEqual(['- without', 'adam second', '- without']);
});

test('a token that cannot be made is told to those it was for, unless it was overtaken', async () => {
  const { set, signing, follow } = open();
  const { words } = follow(true);
  set('olivia');
  set('adam');
  signing.get('olivia')?.reject(new Error('no key'));
  await settled();
  expect(words()).toEqual(['- without']);
  signing.get('adam')?.reject(new Error('no key'));
  await settled();
  expect(words()).toEqual(['- without', 'failed']);
});

test('who has left is told nothing more, though a token is still being signed', async () => {
  const { set, signing, follow } = open();
  const { words, stop } = follow(true);
  set('olivia');
  stop();
  signing.get('olivia')?.resolve('token');
  await settled();
  expect(words()).toEqual(['- without']);
});
