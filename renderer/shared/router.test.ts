import { expect, test, vi } from 'vitest';
import { Router } from './router.svelte.ts';
import { TestAddress } from './testing.ts';

function open(path = '/', work = false) {
  const address = new TestAddress(path);
  const router = new Router(address);
  const page = { work };
  const release = router.keep(() => page.work);
  return { address, router, page, release };
}

test.each([
  ['/', '/'],
  ['/sessions', '/sessions'],
  ['/Audit/', '/audit'],
  ['/nothing', '/'],
  ['/sessions/more', '/'],
])('the address %s is the page %s', (address, path) => {
  expect(open(address).router.path).toBe(path);
});

test('goes to a page, and back', () => {
  const { router, address } = open();
  router.go('/users');
  expect(router.path).toBe('/users');
  expect(address.visited).toEqual(['/', '/users']);
  address.back();
  expect(router.path).toBe('/');
});

test('does not go to where it is', () => {
  const { router, address } = open('/users', true);
  router.go('/users');
  expect(router.asks).toBe(false);
  expect(address.visited).toEqual(['/users']);
});

test('asks before it leaves work, and stays where that is wanted', () => {
  const { router, address } = open('/users', true);
  router.go('/audit');
  expect([router.asks, router.path]).toEqual([true, '/users']);
  router.stay();
  expect([router.asks, router.path]).toEqual([false, '/users']);
  expect(address.visited).toEqual(['/users']);
  router.go('/audit');
  router.leave();
  expect([router.asks, router.path]).toEqual([false, '/audit']);
});

test('puts the address back while it asks about a way back', () => {
  const { router, address, page } = open();
  router.go('/users');
  page.work = true;
  address.back();
  expect([router.asks, router.path, address.path()]).toEqual([true, '/users', '/users']);
  router.leave();
  expect([router.path, address.path()]).toEqual(['/', '/']);
});

test('asks before anything else that leaves the page', () => {
  const { router, page, release } = open('/users', true);
  const signOut = vi.fn();
  router.attempt(signOut);
  expect(signOut).not.toHaveBeenCalled();
  router.leave();
  expect(signOut).toHaveBeenCalledOnce();
  release();
  expect([page.work, router.hasWork]).toEqual([true, false]);
  router.attempt(signOut);
  expect(signOut).toHaveBeenCalledTimes(2);
});

test('begins anew at home, with no way back to the page before', () => {
  const { router, address } = open('/audit', true);
  router.go('/users');
  router.reset();
  expect([router.path, router.asks, address.visited]).toEqual(['/', false, ['/']]);
});
