import { expect, test, vi } from 'vitest';
import { createFixedClock } from '../../../server/ports/clock.ts';
import { createConnection } from './connection.ts';
import type { Socket } from './ports.ts';
import { TestSocket } from './testing.ts';

const PONG = { type: 'pong', serverTime: '', id: null };
const PING = { type: 'ping' };

function open(openSocket?: () => Socket | Promise<Socket>) {
  const clock = createFixedClock();
  const sockets: TestSocket[] = [];
  const listener = { opened: vi.fn(), heard: vi.fn(), lost: vi.fn() };
  const next = (): TestSocket => {
    const socket = new TestSocket();
    sockets.push(socket);
    return socket;
  };
  const connection = createConnection({ openSocket: openSocket ?? next, clock, random: () => 0 }, listener);
  connection.open();
  return { clock, sockets, connection, ...listener };
}

test('sends over an open socket only', () => {
  const { connection, sockets } = open();
  expect(connection.send(PING as never)).toBe(false);
  sockets[0]!.open();
  expect(connection.send(PING as never)).toBe(true);
  sockets[0]!.end();
  expect(connection.send(PING as never)).toBe(false);
  expect(sockets[0]!.sent).toEqual([PING]);
});

test('connects anew after each loss, later each time, and soon again after a sign of life', async () => {
  const { clock, sockets, lost } = open();
  sockets[0]!.end(1001, 'the host is stopping');
  expect(lost).toHaveBeenLastCalledWith(1001, 'the host is stopping');
  await clock.advance(249);
  expect(sockets).toHaveLength(1);
  await clock.advance(1);
  sockets[1]!.end(4408);
  await clock.advance(499);
  expect(sockets).toHaveLength(2);
  await clock.advance(1);
  sockets[2]!.open();
  sockets[2]!.tell(PONG);
  sockets[2]!.end();
  await clock.advance(250);
  expect(sockets).toHaveLength(4);
});

test('leaves a host in peace for which it is too many', async () => {
  const { clock, sockets } = open();
  sockets[0]!.end(4429);
  await clock.advance(4_999);
  expect(sockets).toHaveLength(1);
  await clock.advance(1);
  expect(sockets).toHaveLength(2);
});

test('gives up a socket on which nothing ever comes', async () => {
  const { clock, sockets, lost } = open();
  sockets[0]!.open();
  await clock.advance(5_000);
  expect(lost).toHaveBeenCalledOnce();
  expect(sockets[0]!.closed).toBe(true);
});

test('notices a pulled cable within 15 s of the last sign of life', async () => {
  const { clock, sockets, lost } = open();
  sockets[0]!.open();
  sockets[0]!.tell(PONG);
  await clock.advance(8_999);
  expect(sockets[0]!.sent).toEqual([]);
  await clock.advance(1);
  expect(sockets[0]!.sent).toEqual([PING]);
  await clock.advance(4_999);
  expect(lost).not.toHaveBeenCalled();
  await clock.advance(1);
  expect(lost).toHaveBeenCalledOnce();
});

test('stays with a silent host that answers, whatever it says', async () => {
  const { clock, sockets, lost, heard } = open();
  sockets[0]!.open();
  sockets[0]!.tell(PONG);
  for (const answer of ['{"type":"pong"}', '"?"', 'not JSON']) {
    await clock.advance(9_000);
    sockets[0]!.hand(answer);
  }
  await clock.advance(8_999);
  expect(sockets[0]!.sent).toEqual([PING, PING, PING]);
  expect(heard).toHaveBeenLastCalledWith(null);
  expect(lost).not.toHaveBeenCalled();
});

test('hears nothing more of a socket that it has let go', async () => {
  const { clock, sockets, connection, heard, lost, opened } = open();
  const [former] = sockets;
  former!.end();
  await clock.advance(250);
  former!.open();
  former!.tell(PONG);
  former!.end();
  expect([opened.mock.calls.length, heard.mock.calls.length, lost.mock.calls.length]).toEqual([0, 0, 1]);
  connection.close();
  sockets[1]!.open();
  await clock.advance(60_000);
  expect(opened).not.toHaveBeenCalled();
  expect([sockets.length, sockets[1]!.closed]).toEqual([2, true]);
});

test('connects anew at once when that is asked for, and never once closed', () => {
  const { sockets, connection, lost } = open();
  connection.open();
  connection.reopen();
  expect([sockets.length, sockets[0]!.closed]).toEqual([2, true]);
  connection.close();
  connection.reopen();
  expect([sockets.length, lost.mock.calls.length]).toEqual([2, 0]);
});

test('waits for a socket that is not there yet, and closes one that comes too late', async () => {
  const coming: PromiseWithResolvers<Socket>[] = [];
  const { connection, opened } = open(() => {
    coming.push(Promise.withResolvers<Socket>());
    return coming.at(-1)!.promise;
  });
  const [late, present] = [new TestSocket(), new TestSocket()];
  connection.reopen();
  coming[0]!.resolve(late);
  coming[1]!.resolve(present);
  await Promise.all(coming.map(({ promise }) => promise));
  present.open();
  expect(opened).toHaveBeenCalledOnce();
  expect([late.closed, present.closed]).toEqual([true, false]);
});

test('tries again where what a socket must present cannot be had', async () => {
  let calls = 0;
  const { clock, lost } = open(() => {
    calls += 1;
    return Promise.reject(new Error('no answer'));
  });
  await clock.advance(0);
  await new Promise((resolve) => setImmediate(resolve));
  expect(lost).toHaveBeenCalledWith(1006, '');
  await clock.advance(250);
  expect(calls).toBe(2);
});
