import { expect, test, vi } from 'vitest';
import { createApi } from './api.ts';
import { HostClock } from './host-clock.svelte.ts';
import { backOffMs, Live } from './live.svelte.ts';
import { createTestPorts, iso, json, START_MS, WELCOME, type Answers } from './testing.ts';

const OVERVIEW = { type: 'overview', serverTime: iso(0), apps: [], links: [], emergencies: [] };
const REQUEST = { type: 'subscribe', topic: 'overview' };

function start(answers: Answers = { 'GET /api/v1/welcome': json(WELCOME) }) {
  const ports = createTestPorts(answers);
  const onMessage = vi.fn();
  const onRefused = vi.fn();
  const clock = new HostClock(ports.clock);
  const live = new Live(ports, createApi(ports.fetch), clock, { request: REQUEST, onMessage, onRefused });
  live.start();
  return { ...ports, live, onMessage, onRefused, hostClock: clock };
}

test('backs off from a quarter of a second to ten seconds', () => {
  expect([0, 1, 2, 3, 4, 5, 6, 7].map(backOffMs)).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
});

test('asks once it is connected, and is live when the host has answered', () => {
  const { live, sockets, onMessage } = start();
  sockets[0]?.open();
  expect(sockets[0]?.sent).toEqual([REQUEST]);
  expect(live.state).toBe('connecting');
  sockets[0]?.tell(OVERVIEW);
  expect(live.state).toBe('live');
  expect(onMessage).toHaveBeenCalledWith(OVERVIEW);
});

test("takes over the host's time before it notes when it heard from it", () => {
  const { live, sockets } = start();
  sockets[0]?.tell({ ...OVERVIEW, serverTime: iso(5_000) });
  expect(live.heardAt).toBe(START_MS + 5_000);
});

test('connects anew after a loss, and says since when it is lost', async () => {
  const { live, sockets, clock } = start();
  sockets[0]?.tell(OVERVIEW);
  await clock.advance(1_000);
  sockets[0]?.end();
  expect(live.state).toBe('lost');
  await clock.advance(250);
  sockets[1]?.end();
  await clock.advance(500);
  expect(sockets).toHaveLength(3);
  expect(live.lostAt).toBe(START_MS + 1_000);
  sockets[2]?.tell(OVERVIEW);
  expect(live.state).toBe('live');
  expect(live.lostAt).toBeNull();
});

test('begins with short waits again after a connection that worked', async () => {
  const { sockets, clock } = start();
  sockets[0]?.end();
  await clock.advance(250);
  sockets[1]?.tell(OVERVIEW);
  sockets[1]?.end();
  await clock.advance(250);
  expect(sockets).toHaveLength(3);
});

test('gives up a connection on which the host never answers', async () => {
  const { live, sockets, clock } = start();
  sockets[0]?.open();
  await clock.advance(5_000);
  expect(live.state).toBe('lost');
  expect(sockets[0]?.closed).toBe(true);
});

test('stays live through silence while the host answers', async () => {
  const { live, sockets, clock } = start();
  sockets[0]?.tell(OVERVIEW);
  await clock.advance(35_000);
  expect(live.state).toBe('live');
  expect(live.heardAt).toBe(START_MS + 30_000);
  expect(sockets).toHaveLength(1);
});

test('takes a silent host that does not answer for lost', async () => {
  const { live, sockets, clock } = start({});
  sockets[0]?.tell(OVERVIEW);
  await clock.advance(10_000);
  expect(live.state).toBe('lost');
});

test('ends when the host says that nobody is signed in', async () => {
  const { sockets, clock, onRefused } = start();
  sockets[0]?.end(4401);
  await clock.advance(60_000);
  expect(onRefused).toHaveBeenCalledOnce();
  expect(sockets).toHaveLength(1);
});

test('sends only while it is live', () => {
  const { live, sockets } = start();
  expect(live.send({ type: 'activity' })).toBe(false);
  sockets[0]?.tell(OVERVIEW);
  expect(live.send({ type: 'activity' })).toBe(true);
  expect(sockets[0]?.sent).toEqual([{ type: 'activity' }]);
});

test('does nothing more once stopped', async () => {
  const { live, sockets, clock } = start();
  sockets[0]?.tell(OVERVIEW);
  live.stop();
  await clock.advance(60_000);
  expect(sockets).toHaveLength(1);
  expect(sockets[0]?.closed).toBe(true);
});
