import { expect, test } from 'vitest';
import { createApi } from './api.ts';
import { Door } from './door.svelte.ts';
import { PageVersion } from './page-version.svelte.ts';
import { Router } from './router.svelte.ts';
import { createTestPorts, json, problem, WELCOME } from './testing.ts';

const ROUTE = 'GET /api/v1/welcome';

function open(ports = createTestPorts({ [ROUTE]: json(WELCOME) }), built = WELCOME.version) {
  const door = new Door(null, createApi(ports.fetch), ports.clock, ports.memory);
  const router = new Router(ports.address);
  const typing = { now: false };
  const version = new PageVersion({ door, ports, router, isTyping: () => typing.now }, built);
  const serve = (served: string) => (ports.answers[ROUTE] = json({ ...WELCOME, version: served }));
  const look = async (): Promise<void> => {
    await version.ask();
    version.check();
  };
  return { ...ports, ports, door, router, typing, version, serve, look };
}

test('leaves a page alone that is of the version of its host', async () => {
  const { version, look, address } = open();
  await look();
  expect([version.outdated, address.reloads]).toEqual([false, 0]);
});

test('loads the page anew when the host has become another version', async () => {
  const { look, serve, address } = open();
  serve('2.0.0');
  await look();
  expect(address.reloads).toBe(1);
});

test('takes nothing away: waits for work, for typing, for a change of the password, for an envelope', async () => {
  const { version, look, serve, address, router, typing, door } = open();
  const done = router.keep(() => true);
  serve('2.0.0');
  await look();
  expect([version.outdated, address.reloads]).toEqual([true, 0]);
  done();
  typing.now = true;
  version.check();
  typing.now = false;
  door.change = { ticket: 't', username: 'anna', why: 'expired' };
  version.check();
  expect(address.reloads).toBe(0);
  door.change = null;
  version.check();
  version.check();
  expect(address.reloads).toBe(1);
});

test('loads it anew once for a version, however long they differ, and again for the next one', async () => {
  const first = open();
  first.serve('2.0.0');
  await first.look();
  const again = open(first.ports);
  await again.look();
  expect([again.version.outdated, again.address.reloads]).toEqual([false, 1]);
  again.serve('3.0.0');
  await again.look();
  expect(again.address.reloads).toBe(2);
});

const missing = () => Promise.reject(new TypeError('Failed to fetch dynamically imported module'));

test('a part that a host which answers does not have leads to the new page, and not to an error', async () => {
  const { version, address } = open();
  const settled: string[] = [];
  void version.load(missing).then(
    () => settled.push('loaded'),
    () => settled.push('failed'),
  );
  await expect.poll(() => address.reloads).toBe(1);
  expect(settled).toEqual([]);
});

test('a part that is missing from the new page as well is an error', async () => {
  const { version, address, ports } = open();
  void version.load(missing);
  await expect.poll(() => address.reloads).toBe(1);
  await expect(open(ports).version.load(missing)).rejects.toThrow(TypeError);
  expect(address.reloads).toBe(1);
});

test('a part that cannot be loaded because the host is away is an error', async () => {
  const { version, address, answers } = open();
  answers[ROUTE] = 'silent';
  await expect(version.load(missing)).rejects.toThrow(TypeError);
  answers[ROUTE] = problem(503, 'busy');
  await version.ask();
  expect([version.outdated, address.reloads]).toEqual([false, 0]);
});

test('a part that comes is handed on', async () => {
  expect(await open().version.load(() => Promise.resolve('part'))).toBe('part');
});
