import { expect, test, vi } from 'vitest';
import { HostClock } from './host-clock.svelte.ts';
import { createLine, Live, type Subscription } from './live.svelte.ts';
import { createTestPorts, iso, START_MS } from './testing.ts';

const OVERVIEW = { type: 'overview', serverTime: iso(0), apps: [], links: [], emergencies: [] };
const EMERGENCIES = { type: 'emergencies', serverTime: iso(0), emergencies: [] };
const PONG = { type: 'pong', serverTime: iso(0), id: null };

function start() {
  const ports = createTestPorts();
  const clock = new HostClock(ports.clock);
  const [onMessage, onRefused, onBack] = [vi.fn(), vi.fn(), vi.fn()];
  const line = createLine(ports, clock, onBack);
  const follow = (topic: Subscription['topic']): Live => {
    const live = new Live(line, clock, { topic, onMessage, onRefused });
    live.start();
    return live;
  };
  return { ...ports, line, live: follow({ topic: 'overview' }), follow, onMessage, onRefused, onBack };
}

test('is live when the host has answered', () => {
  const { live, sockets, onMessage } = start();
  sockets[0]?.open();
  expect(sockets[0]?.sent).toEqual([{ type: 'subscribe', topic: 'overview' }]);
  expect(live.state).toBe('connecting');
  sockets[0]?.tell(OVERVIEW);
  expect(live.state).toBe('live');
  expect(onMessage.mock.calls).toEqual([[OVERVIEW]]);
});

test("takes over the host's time before it notes when it heard from it", () => {
  const { live, sockets } = start();
  sockets[0]?.open();
  sockets[0]?.tell({ ...OVERVIEW, serverTime: iso(5_000) });
  expect(live.heardAt).toBe(START_MS + 5_000);
});

test('says since when it is lost, until the host has answered again', async () => {
  const { live, sockets, clock } = start();
  sockets[0]?.open();
  sockets[0]?.tell(OVERVIEW);
  await clock.advance(1_000);
  sockets[0]?.end();
  expect([live.state, live.heardAt, live.lostAt]).toEqual(['lost', START_MS, START_MS + 1_000]);
  await clock.advance(250);
  sockets[1]?.open();
  expect(live.state).toBe('lost');
  sockets[1]?.tell(OVERVIEW);
  expect([live.state, live.lostAt]).toEqual(['live', null]);
});

test('says once that the host is back, and not that it has come', async () => {
  const { follow, sockets, clock, onBack } = start();
  follow({ topic: 'emergencies' });
  sockets[0]?.open();
  sockets[0]?.tell(OVERVIEW);
  sockets[0]?.tell(EMERGENCIES);
  sockets[0]?.end();
  await clock.advance(250);
  sockets[1]?.open();
  expect(onBack).not.toHaveBeenCalled();
  sockets[1]?.tell(OVERVIEW);
  sockets[1]?.tell(EMERGENCIES);
  expect(onBack).toHaveBeenCalledOnce();
});

test('stays live through silence while the host answers', async () => {
  const { live, sockets, clock } = start();
  sockets[0]?.open();
  sockets[0]?.tell(OVERVIEW);
  await clock.advance(9_000);
  sockets[0]?.tell({ ...PONG, serverTime: iso(9_000) });
  await clock.advance(13_000);
  expect([live.state, live.heardAt]).toEqual(['live', START_MS + 9_000]);
  await clock.advance(1_000);
  expect(live.state).toBe('lost');
});

test('shares one connection with all that the page follows', () => {
  const { live, follow, sockets } = start();
  const emergencies = follow({ topic: 'emergencies' });
  sockets[0]?.open();
  sockets[0]?.tell(OVERVIEW);
  expect([live.state, emergencies.state]).toEqual(['live', 'connecting']);
  sockets[0]?.tell(EMERGENCIES);
  expect(emergencies.state).toBe('live');
  live.stop();
  expect(sockets[0]?.closed).toBe(false);
  emergencies.stop();
  expect([sockets[0]?.closed, sockets.length]).toEqual([true, 1]);
});

test('is over when the host says that nobody is signed in, until somebody is', async () => {
  const { live, line, sockets, clock, onRefused } = start();
  sockets[0]?.end(4401);
  await clock.advance(60_000);
  expect([onRefused.mock.calls.length, live.state, sockets.length]).toEqual([1, 'lost', 1]);
  line.identityChanged();
  sockets[1]?.open();
  sockets[1]?.tell(OVERVIEW);
  expect([live.state, live.lostAt]).toEqual(['live', null]);
});

test('tells of activity only while it is live', () => {
  const { live, sockets } = start();
  sockets[0]?.open();
  expect(live.noteActivity()).toBe(false);
  sockets[0]?.tell(OVERVIEW);
  expect(live.noteActivity()).toBe(true);
  expect(sockets[0]?.sent.at(-1)).toEqual({ type: 'activity' });
});

test('does nothing more once stopped, and follows once however often it is started', async () => {
  const { live, sockets, clock, onMessage } = start();
  live.start();
  sockets.at(-1)?.open();
  live.stop();
  sockets.at(-1)?.tell(OVERVIEW);
  await clock.advance(60_000);
  expect([onMessage.mock.calls.length, sockets.every(({ closed }) => closed)]).toEqual([0, true]);
});
